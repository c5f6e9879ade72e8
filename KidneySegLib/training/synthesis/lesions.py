"""Puts lesions into patches of real scans: cysts and solid masses with exact labels, and decoys without.

Shapes come from expert label maps where the recipe names them (see ``shapes``), else from bumpy balls. A lesion pushes
its surroundings aside, keeps the scan's own noise, and ends in a border as soft as the slices are thick. Tissue of
neighbouring organs is never replaced by small lesions: the network would learn that a round piece of muscle at a
kidney's border is a lesion. Synthetic tumours have trained a network to the level of real labels before (liver: Hu et
al., CVPR 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from KidneySegLib.training.augmentation.contrast import smooth_noise
from KidneySegLib.training.augmentation.filters import box_mean
from KidneySegLib.training.augmentation.grain import grain
from KidneySegLib.training.synthesis.forms import Placed, box_around, offsets, place_ball, place_shape, whole
from KidneySegLib.training.synthesis.scene import Scene
from KidneySegLib.training.synthesis.shapes import ShapeLibrary
from KidneySegLib.training.synthesis.textures import cyst_texture, mass_texture
from KidneySegLib.training.synthesis.transplant import transplant

# A lesion may take the place of other soft tissue only from this radius on; smaller ones stay in kidney and fat.
_BOLD_RADIUS_MM = 14.0
_TRIES = 12
_PLACES = 3
# What finds less room than this share of itself is not put in: the rest would have a form that no lesion has.
_LEAST_ROOM = 0.6
_DECOY_DISTANCE_MM = 6.0


@dataclass(frozen=True)
class SynthesisRanges:
    """How often and how large.

    Attributes:
        probability: that a patch with kidney gets synthetic lesions.
        shapes: folder of label maps below the data folder; empty: balls only.
        transplant: share of those patches that get a whole diseased kidney in the place of their own.
        solid: share of solid masses among the lesions.
        decoy: probability of a lesion-like body away from the kidney, unlabelled.
        hydronephrosis: probability of a fluid-filled collecting system, labelled as kidney.
        mass_radius_mm: smallest and largest radius of solid masses.
        cyst_radius_mm: smallest and largest radius of cysts.
    """

    probability: float = 0.0
    shapes: str = ""
    transplant: float = 0.25
    solid: float = 0.5
    decoy: float = 0.2
    hydronephrosis: float = 0.12
    mass_radius_mm: tuple[float, float] = (4.0, 65.0)
    cyst_radius_mm: tuple[float, float] = (2.5, 40.0)


def synthesise(scene: Scene, ranges: SynthesisRanges, library: ShapeLibrary | None, rng: np.random.Generator) -> None:
    """Changes a scene in place: new lesions in image and labels."""
    if ranges.probability == 0:
        return
    if rng.random() < ranges.decoy:
        _decoy(scene, ranges, library, rng)
    if not scene.shows_kidney():
        return
    if rng.random() < ranges.hydronephrosis:
        _dilate_collecting_system(scene, rng)
    # Patches that show a real lesion are few: they are mostly left as they are.
    real = bool((scene.mass + scene.cyst > 0.5).any())
    if rng.random() >= ranges.probability * (0.4 if real else 1.0):
        return
    if library is not None and not real and rng.random() < ranges.transplant:
        transplant(scene, library.kidneys[int(rng.integers(len(library.kidneys)))], rng, library.textures)
        return
    count = int(rng.choice([1, 2, 3, 5], p=[0.55, 0.25, 0.12, 0.08]))
    for number in range(count):
        for _ in range(_PLACES):
            if _add_lesion(scene, ranges, library, rng, largest=1.0 if number == 0 else 0.4):
                break


def _add_lesion(
    scene: Scene, ranges: SynthesisRanges, library: ShapeLibrary | None, rng: np.random.Generator, *, largest: float
) -> bool:
    """Adds one lesion in or on the kidney; returns whether it found room."""
    solid = bool(rng.random() < ranges.solid)
    low, high = ranges.mass_radius_mm if solid else ranges.cyst_radius_mm
    radius = float(np.exp(rng.uniform(np.log(low), np.log(max(low * 1.2, high * largest)))))
    centre = _place_in_kidney(scene, radius, rng)
    if centre is None:
        return False
    placed = _form(scene, library, solid, centre, radius, rng)
    push = radius * rng.uniform(0.5, 0.9)
    # Bone does not give way.
    if rng.random() < 0.6 and not (scene.hu[box_around(centre, 1.5 * push, scene.hu.shape, scene.spacing)] > 350).any():
        push_aside(scene, centre, push)
    return _fill(scene, placed, solid, library, rng, labelled=True)


def _place_in_kidney(scene: Scene, radius: float, rng: np.random.Generator) -> np.ndarray | None:
    """Returns a centre in patch voxels: inside the kidney, or moved outwards so that the lesion bulges out of it."""
    free = torch.nonzero((scene.organ > 0.5) & (scene.mass + scene.cyst < 0.5))
    if free.shape[0] < 50:
        return None
    start = free[int(rng.integers(free.shape[0]))].numpy().astype(float)
    outward = start - free.double().mean(dim=0).numpy()
    outward /= max(1e-6, float(np.linalg.norm(outward)))
    # At most 0.8 radii out of where it started: a lesion keeps in touch with its kidney.
    return np.asarray(start + outward * rng.uniform(-0.2, 0.8) * radius / np.array(scene.spacing))


def _form(
    scene: Scene,
    library: ShapeLibrary | None,
    solid: bool,
    centre: np.ndarray,
    radius: float,
    rng: np.random.Generator,
) -> Placed:
    shape = tuple(scene.hu.shape)
    if library is None or rng.random() < 0.3:
        return place_ball(centre, radius, shape, scene.spacing, rng)
    # A shape of about the right size: large and small lesions differ in more than scale, and enlarged ones show voxels.
    like = [s for s in library.lesions if s.solid == solid and 0.6 < s.radius_mm / radius < 2.5]
    if not like:
        return place_ball(centre, radius, shape, scene.spacing, rng)
    return place_shape(like[int(rng.integers(len(like)))], centre, radius, shape, scene.spacing, rng)


def push_aside(scene: Scene, centre: np.ndarray, radius_mm: float) -> None:
    """Displaces image and labels as a ball growing from a point would displace what cannot be compressed.

    A place at the distance r from ``centre`` shows what was at the distance ``(r^3 - radius^3)^(1/3)``.
    """
    box = box_around(centre, 2.6 * radius_mm, scene.hu.shape, scene.spacing)
    vectors = offsets(box, centre, scene.spacing)
    distance = vectors.norm(dim=-1).clamp(min=1e-3)
    before = (distance**3 - radius_mm**3).clamp(min=0) ** (1 / 3)
    # The shift has all but faded at the box's border; it is brought to zero there.
    fade = ((2.6 * radius_mm - distance) / (0.6 * radius_mm)).clamp(0, 1)
    factor = 1 - (1 - before / distance) * fade
    scene.warp(box, vectors * factor.unsqueeze(-1), centre)


def _fill(
    scene: Scene,
    placed: Placed,
    solid: bool,
    library: ShapeLibrary | None,
    rng: np.random.Generator,
    *,
    labelled: bool,
) -> bool:
    """Writes the texture and, for true lesions, the labels; returns whether there was room."""
    box, form = placed.box, placed.form
    hu = scene.hu[box]
    share = form.share * scene.room(box, soft=form.radius_mm > _BOLD_RADIUS_MM and rng.random() < 0.6)
    if float(share.sum()) < _LEAST_ROOM * float(form.share.sum()):
        return False
    share = scene.through_slices(share)
    level = scene.parenchyma_hu() if labelled else float(rng.uniform(30, 180))
    real = library.textures if library is not None else ()
    texture = mass_texture(form, level, rng, real) if solid else cyst_texture(form, level, rng)
    content = texture + grain(scene, box, rng)
    scene.hu[box] = hu + (content - hu) * share
    if labelled:
        scene.label(box, share, solid)
    return True


def _decoy(scene: Scene, ranges: SynthesisRanges, library: ShapeLibrary | None, rng: np.random.Generator) -> None:
    """Puts a lesion-like body into tissue away from the kidney: a lymph node, bowel loop, gallbladder, other tumour."""
    for _ in range(_TRIES):
        centre = rng.uniform(0, np.array(scene.hu.shape) - 1)
        radius = float(np.exp(rng.uniform(np.log(3), np.log(25))))
        near = box_around(centre, radius * 1.5 + _DECOY_DISTANCE_MM, scene.hu.shape, scene.spacing)
        inside = scene.hu[tuple(int(c) for c in centre)]
        if -150 < inside < 150 and not (scene.organ[near] > 0.1).any():
            solid = bool(rng.random() < 0.5)
            _fill(scene, _form(scene, library, solid, centre, radius, rng), solid, library, rng, labelled=False)
            return


def _dilate_collecting_system(scene: Scene, rng: np.random.Generator) -> None:
    """Fills the deep part of the kidney with urine; it stays kidney."""
    border = rng.uniform(7, 16) + 3 * smooth_noise(scene.hu.shape, 9, rng)
    share = torch.sigmoid((scene.depth - border) / 1.2) * (scene.organ > 0.5)
    share = scene.through_slices(box_mean(share, 3))
    content = rng.uniform(-4, 16) + grain(scene, whole(scene.hu.shape), rng)
    share = share * (1 - scene.mass - scene.cyst).clamp(0, 1)
    scene.hu = scene.hu + (content - scene.hu) * share
