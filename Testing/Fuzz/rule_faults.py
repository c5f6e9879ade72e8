"""Made patients whose kidneys or stones a rule could lose or make up: dense things, windows, phantoms, tubes, cuts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from kidney_scenes import DENSE, against, head, patient, phantom
from lesion_cases import draw, grid, kidneys
from reporting_cases import findings_of
from stone_cases import Abdomen

from Fuzz.case import Case, Family
from Fuzz.image_faults import Build
from KidneySegLib.segmentation.stones.find import find_stones
from KidneySegLib.structures import BY_KEY
from KidneySegLib.volume import Volume

WINDOWS = {"": (-1024, 3071), " in a soft window": (-160, 240), " in a narrow window": (-110, 190)}

STONE = BY_KEY["stone"].label


def kidney_rules() -> list[Case]:
    """Returns cases in which a kidney must be kept, and cases in which there is none."""
    kept, none = Family("kidneys at a rule", reader=_keeps), Family("no kidneys at a rule", reader=_refuses)
    for name in DENSE:
        for window, values in WINDOWS.items():
            kept.add(f"{name}{window}", _scene(lambda name=name: _changed(name), values), True)
    for bone in (350, 700, 1500):
        for scale in (0.75, 1.0):
            none.add(f"head, bone of {bone} HU, size {scale}", _scene(lambda b=bone, s=scale: head(b, s)), True)
    for radius in (22, 30, 60):
        for value in (30, 90, 300):
            none.add(f"phantom of {radius} mm, {value} HU", _scene(lambda r=radius, v=value: phantom(r, v)), True)
    return [*kept.cases, *none.cases]


def stone_rules() -> list[Case]:
    """Returns cases of tubes, which are no stones, and of what is dense where the ureter runs."""
    family, ureter = Family("tubes", reader=_no_stone), Family("dense where the ureter runs", reader=_stone_or_told)
    for spacing in ((1.5, 1.5, 1.5), (1.0, 1.0, 3.0), (1.2, 1.2, 2.5)):
        for diameter in (2.0, 3.0, 4.5):
            family.add(f"of {diameter} mm, slices of {spacing[2]} mm", _tube(spacing, diameter), True)
        for diameter in (5.0, 10.0, 20.0):
            for around in (-100.0, 32.0):
                name = f"{diameter} mm in {around:.0f} HU, slices of {spacing[2]} mm"
                ureter.add(name, _in_ureter(spacing, diameter, around), True)
    return [*family.cases, *ureter.cases]


def cuts() -> list[Case]:
    """Returns cases of kidneys and stones that the image cuts, which have no length."""
    family, stones = Family("cut kidneys", reader=_no_length), Family("cut stones", reader=_no_stone_length)
    for slices in (2, 5, 16, 40):
        for first in (20, 40):
            family.add(f"{slices} slices from {first}", _cut(slice(first, first + slices)), True)
        stones.add(f"{slices} slices of a stone", _cut(slice(30, 30 + slices), stone=True), True)
    return [*family.cases, *stones.cases]


def _changed(name: str) -> np.ndarray:
    hu = patient()
    DENSE[name](hu)
    return hu


def _scene(make: Callable[[], np.ndarray], window: tuple[int, int] = (-1024, 3071)) -> Build:
    def build(folder: Path, random: np.random.Generator) -> Path:
        hu = make()
        hu = np.clip(hu + random.normal(0, 12, hu.shape), *window)
        return _saved(folder, hu=hu.astype(np.int16))

    return build


def _tube(spacing: tuple[float, float, float], diameter: float) -> Build:
    def build(folder: Path, random: np.random.Generator) -> Path:
        x, y, z = random.uniform(-4, 4, 3)
        abdomen = Abdomen(spacing, seed=int(random.integers(1000)))
        abdomen.add_rod((60 + x, 60 + y, 72 + z), (72 + x, 60, 0), diameter, float(random.uniform(600, 2400)))
        volume = abdomen.volume()
        return _saved(folder, hu=volume.voxels, labels=abdomen.labels, matrix=volume.ijk_to_lps)

    return build


def _in_ureter(spacing: tuple[float, float, float], diameter: float, around: float) -> Build:
    def build(folder: Path, random: np.random.Generator) -> Path:
        place = (72.0, 60.0, 25.0) + random.uniform(-2, 2, 3)
        abdomen = Abdomen(spacing, seed=int(random.integers(1000))).add_ball(place, diameter + 14, around)
        abdomen.add_ball(place, diameter, float(random.uniform(500, 1500)))
        volume = abdomen.volume()
        return _saved(folder, hu=volume.voxels, labels=abdomen.labels, matrix=volume.ijk_to_lps)

    return build


def _cut(part: slice, *, stone: bool = False) -> Build:
    def build(folder: Path, random: np.random.Generator) -> Path:
        volume = grid((1.5, 1.5, 2.0), (240.0, 120.0, 180.0))
        labels = draw(volume, kidneys())
        if stone:
            k, j, i = (int(n) for n in np.argwhere(labels == 1).mean(axis=0))
            labels[:, j - 4 : j + 4, i - 4 : i + 4] = STONE
        cut = volume.crop((part, slice(0, labels.shape[1]), slice(0, labels.shape[2])))
        return _saved(folder, hu=cut.voxels, labels=labels[part], matrix=cut.ijk_to_lps)

    return build


def _saved(folder: Path, **arrays: np.ndarray) -> Path:
    path = folder / "scene.npz"
    np.savez_compressed(path, **arrays)
    return path


def _keeps(path: Path) -> None:
    reason = against(np.load(path)["hu"].astype(float), confidence=0.6)
    assert reason is None, f"the kidney was left out: {reason}"


def _refuses(path: Path) -> None:
    assert against(np.load(path)["hu"].astype(float)) is not None, "it was taken for a kidney"


def _no_stone(path: Path) -> None:
    scene = np.load(path)
    stones, flags = find_stones(Volume(scene["hu"], scene["matrix"]), scene["labels"])
    assert not stones.any(), "the tube was taken for a stone"
    assert "ureteral_stent" in {flag.code for flag in flags}, "the tube was not told"


def _stone_or_told(path: Path) -> None:
    scene = np.load(path)
    stones, flags = find_stones(Volume(scene["hu"], scene["matrix"]), scene["labels"])
    assert stones.any() or "dense_beside_ureter" in {flag.code for flag in flags}, "it was left out without a word"


def _no_stone_length(path: Path) -> None:
    scene = np.load(path)
    found = findings_of(Volume(scene["hu"], scene["matrix"]), np.ascontiguousarray(scene["labels"]))
    assert found.stones and "stone_cut" in {flag.code for flag in found.flags}, "the end of the image is not told"
    for stone in found.stones:
        assert stone.length_mm is None and np.isnan(stone.measures.length_mm), "a length is told"
        assert stone.length_at_least_mm is not None and stone.length_at_least_mm > 0, "what is seen is not told"


def _no_length(path: Path) -> None:
    scene = np.load(path)
    labels = np.ascontiguousarray(scene["labels"])
    for kidney in findings_of(Volume(scene["hu"], scene["matrix"]), labels).kidneys:
        seen = 2.0 * int((labels == (1 if kidney.side == "right" else 2)).any(axis=(1, 2)).sum())
        assert np.isnan(kidney.measures.length_mm), "a length is told"
        assert kidney.length_at_least_mm is not None and abs(kidney.length_at_least_mm - seen) < 1e-6, "wrong extent"
