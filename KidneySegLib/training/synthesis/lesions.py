"""Puts lesions into patches of real scans: cysts and solid masses with exact labels, and decoys without.

Shapes come from expert label maps where the recipe names them (see ``shapes``), else from bumpy balls. A lesion pushes
its surroundings aside, keeps the scan's own noise, and ends in a border as soft as the slices are thick. Tissue of
neighbouring organs is never replaced by small lesions: the network would learn that a round piece of muscle at a
kidney's border is a lesion. Synthetic tumours have trained a network to the level of real labels before (liver: Hu et
al., CVPR 2023).
"""

import numpy as np
import torch

from KidneySegLib.bundles.declaration import Positive, Share
from KidneySegLib.geometry.boxes import box_around
from KidneySegLib.training.augmentation.grain import grain
from KidneySegLib.training.augmentation.patch import Patch, Transform
from KidneySegLib.training.declared import Declared, Range, Shares
from KidneySegLib.training.synthesis.forms import Placed, offsets, place_ball, place_shape
from KidneySegLib.training.synthesis.textures import CystTexture, MassTexture
from KidneySegLib.training.synthesis.transplant import transplant

# A lesion may take the place of other soft tissue only from this radius on; smaller ones stay in kidney and fat.
_BOLD_RADIUS_MM = 14.0
_TRIES = 12
_PLACES = 3
# What finds less room than this share of itself is not put in: the rest would have a form that no lesion has.
_LEAST_ROOM = 0.6
_DECOY_DISTANCE_MM = 6.0
# Numbers of lesions that a patch can get, and the share of the largest radius that the later ones reach.
_NUMBERS, _LATER = (1, 2, 3, 5), 0.4
_HARD_HU = 350


class Body(Declared):
    """How a lesion, or what looks like one, is made.

    Attributes:
        ball: share of bumpy balls among them, where a folder of real shapes is given.
        through_tissue: probability that a large one takes the place of other soft tissue too.
        mass: what solid ones are made of.
        cyst: what cysts are made of.
    """

    ball: Share = 0.3
    through_tissue: Share = 0.6
    mass: MassTexture = MassTexture()
    cyst: CystTexture = CystTexture()

    def form(self, patch: Patch, solid: bool, centre: np.ndarray, radius: float, rng: np.random.Generator) -> Placed:
        """Returns a real shape, or a ball, of a radius in mm around ``centre`` (voxels k, j, i)."""
        shape, library = tuple(patch.hu.shape), patch.library
        if library is None or rng.random() < self.ball:
            return place_ball(centre, radius, shape, patch.spacing, rng)
        # One of about the right size: large and small lesions differ in more than scale, and enlarged ones show voxels.
        like = [s for s in library.lesions if s.solid == solid and 0.6 < s.radius_mm / radius < 2.5]
        if not like:
            return place_ball(centre, radius, shape, patch.spacing, rng)
        return place_shape(like[int(rng.integers(len(like)))], centre, radius, shape, patch.spacing, rng)

    def paint(self, patch: Patch, placed: Placed, solid: bool, rng: np.random.Generator, *, labelled: bool) -> bool:
        """Writes the texture and, for true lesions, the labels; returns whether there was room."""
        box, form = placed.box, placed.form
        hu = patch.hu[box]
        soft = form.radius_mm > _BOLD_RADIUS_MM and rng.random() < self.through_tissue
        share = form.share * patch.room(box, soft=soft)
        if float(share.sum()) < _LEAST_ROOM * float(form.share.sum()):
            return False
        share = patch.through_slices(share)
        level = patch.parenchyma_hu() if labelled else float(rng.uniform(30, 180))
        real = patch.library.textures if patch.library is not None else ()
        texture = self.mass.fill(form, level, rng, real) if solid else self.cyst.fill(form, level, rng)
        content = texture + grain(patch, box, rng)
        patch.hu[box] = hu + (content - hu) * share
        if labelled:
            patch.label(box, share, solid)
        return True


class Decoys(Transform):
    """A lesion-like body away from the kidney, unlabelled: a lymph node, bowel loop, gallbladder, other tumour.

    Attributes:
        probability: of one in a patch.
        solid: share of solid ones.
        radius_mm: smallest and largest radius.
        body: how they are made.
    """

    probability: Share = 0.2
    solid: Share = 0.5
    radius_mm: tuple[Positive, Positive] = (3.0, 25.0)
    body: Body = Body()

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Paints one, if it finds a place."""
        if rng.random() >= self.probability:
            return
        for _ in range(_TRIES):
            centre = rng.uniform(0, np.array(patch.hu.shape) - 1)
            radius = float(np.exp(rng.uniform(*np.log(self.radius_mm))))
            near = box_around(centre, radius * 1.5 + _DECOY_DISTANCE_MM, patch.spacing, patch.hu.shape)
            inside = patch.hu[tuple(int(c) for c in centre)]
            if -150 < inside < 150 and not (patch.organ[near] > 0.1).any():
                solid = bool(rng.random() < self.solid)
                placed = self.body.form(patch, solid, centre, radius, rng)
                self.body.paint(patch, placed, solid, rng, labelled=False)
                return


class Lesions(Transform):
    """Synthetic masses and cysts in and on the kidney.

    Attributes:
        probability: that a patch with kidney gets lesions.
        beside_real: factor on the probability in patches with a real lesion; they are few and mostly left as they are.
        shapes: folder of label maps below the data folder; empty: balls only.
        transplant: share of those patches that get a whole diseased kidney in the place of their own.
        solid: share of solid masses among the lesions.
        numbers: shares of patches with 1, 2, 3 and 5 lesions.
        pushing: probability that a lesion pushes its surroundings aside.
        mass_radius_mm: smallest and largest radius of solid masses.
        cyst_radius_mm: smallest and largest radius of cysts.
        body: how they are made.
    """

    probability: Share = 0.0
    beside_real: Share = 0.4
    shapes: str = ""
    transplant: Share = 0.25
    solid: Share = 0.5
    numbers: Shares = (0.55, 0.25, 0.12, 0.08)
    pushing: Share = 0.6
    mass_radius_mm: Range = (4.0, 65.0)
    cyst_radius_mm: Range = (2.5, 40.0)
    body: Body = Body()

    def apply(self, patch: Patch, rng: np.random.Generator) -> None:
        """Puts lesions into image and labels."""
        if not patch.shows_kidney():
            return
        real = bool((patch.mass + patch.cyst > 0.5).any())
        if rng.random() >= self.probability * (self.beside_real if real else 1.0):
            return
        library = patch.library
        if library is not None and not real and rng.random() < self.transplant:
            donor = library.kidneys[int(rng.integers(len(library.kidneys)))]
            transplant(patch, donor, self.body.mass, self.body.cyst, rng)
            return
        for number in range(int(rng.choice(_NUMBERS, p=list(self.numbers)))):
            for _ in range(_PLACES):
                if self._add(patch, rng, largest=1.0 if number == 0 else _LATER):
                    break

    def _add(self, patch: Patch, rng: np.random.Generator, *, largest: float) -> bool:
        """Adds one lesion in or on the kidney; returns whether it found room."""
        solid = bool(rng.random() < self.solid)
        low, high = self.mass_radius_mm if solid else self.cyst_radius_mm
        radius = float(np.exp(rng.uniform(np.log(low), np.log(max(low * 1.2, high * largest)))))
        centre = _place_in_kidney(patch, radius, rng)
        if centre is None:
            return False
        placed = self.body.form(patch, solid, centre, radius, rng)
        push = radius * rng.uniform(0.5, 0.9)
        near = box_around(centre, 1.5 * push, patch.spacing, patch.hu.shape)
        if rng.random() < self.pushing and not (patch.hu[near] > _HARD_HU).any():  # bone does not give way
            push_aside(patch, centre, push)
        return self.body.paint(patch, placed, solid, rng, labelled=True)


def _place_in_kidney(patch: Patch, radius: float, rng: np.random.Generator) -> np.ndarray | None:
    """Returns a centre in patch voxels: inside the kidney, or moved outwards so that the lesion bulges out of it."""
    free = torch.nonzero((patch.organ > 0.5) & (patch.mass + patch.cyst < 0.5))
    if free.shape[0] < 50:
        return None
    start = free[int(rng.integers(free.shape[0]))].numpy().astype(float)
    outward = start - free.double().mean(dim=0).numpy()
    outward /= max(1e-6, float(np.linalg.norm(outward)))
    # At most 0.8 radii out of where it started: a lesion keeps in touch with its kidney.
    return np.asarray(start + outward * rng.uniform(-0.2, 0.8) * radius / np.array(patch.spacing))


def push_aside(patch: Patch, centre: np.ndarray, radius_mm: float) -> None:
    """Displaces image and labels as a ball growing from a point would displace what cannot be compressed.

    A place at the distance r from ``centre`` shows what was at the distance ``(r^3 - radius^3)^(1/3)``.
    """
    box = box_around(centre, 2.6 * radius_mm, patch.spacing, patch.hu.shape)
    vectors = offsets(box, centre, patch.spacing)
    distance = vectors.norm(dim=-1).clamp(min=1e-3)
    before = (distance**3 - radius_mm**3).clamp(min=0) ** (1 / 3)
    # The shift has all but faded at the box's border; it is brought to zero there.
    fade = ((2.6 * radius_mm - distance) / (0.6 * radius_mm)).clamp(0, 1)
    factor = 1 - (1 - before / distance) * fade
    patch.warp(box, vectors * factor.unsqueeze(-1), centre)
