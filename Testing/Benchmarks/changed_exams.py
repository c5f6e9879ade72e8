"""Real exams, changed: wrong scales, clipped windows, crops; stones, stents, contrast medium that was not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from KidneySegLib.structures import KIDNEYS
from KidneySegLib.volume import Volume

KIDNEY_LABELS = [kidney.label for kidney in KIDNEYS.values()]
STONE = 5
# How far from the kidneys a cropped image ends.
_CROP_MM = 15.0
_SLAB_MM = 15.0
_STONE_MM, _STONE_HU = 9.0, 900.0
_STENT_MM, _STENT_HU, _STENT_LENGTH_MM = 2.5, 600.0, 90.0
_EXCRETED_HU = 500.0
_CORTEX_MM, _CORTEX_HU = 6.0, 330.0
# What surrounds the sinus, and how deep the collecting system lies below the kidney's surface.
_SINUS_CLOSING_MM, _DEEP_MM = 10.0, 9.0
# Blur of a scanner.
_BLUR_MM = 0.7


@dataclass(frozen=True)
class Changed:
    """An exam after a change.

    Attributes:
        image: in HU, canonical order.
        reference: uint8 ``(k, j, i)`` on its grid.
    """

    image: Volume
    reference: np.ndarray


Change = Callable[[Volume, np.ndarray], Changed]


def _scaled_grid(factor: float) -> Change:
    def change(image: Volume, reference: np.ndarray) -> Changed:
        matrix = image.ijk_to_lps.copy()
        matrix[:3, :3] *= factor
        return Changed(Volume(image.voxels, matrix), reference)

    return change


def _with_values(of: Callable[[np.ndarray], np.ndarray]) -> Change:
    def change(image: Volume, reference: np.ndarray) -> Changed:
        return Changed(image.like(_stored(of(image.voxels.astype(np.float32)))), reference)

    return change


def cropped(image: Volume, reference: np.ndarray) -> Changed:
    """Ends the image a little beside the kidneys, in the axial plane."""
    margin = np.ceil(_CROP_MM / np.array(image.spacing[::-1])).astype(int)
    places = np.argwhere(reference > 0)
    low = np.maximum(places.min(axis=0) - margin, 0)
    high = np.minimum(places.max(axis=0) + 1 + margin, reference.shape)
    box = (slice(0, reference.shape[0]), slice(low[1], high[1]), slice(low[2], high[2]))
    return Changed(image.crop(box), reference[box])


def slab(image: Volume, reference: np.ndarray) -> Changed:
    """Keeps 15 mm around the slice with most kidney."""
    half = max(1, round(_SLAB_MM / image.spacing[2] / 2))
    middle = int((reference > 0).sum(axis=(1, 2)).argmax())
    kept = slice(max(0, middle - half), min(len(reference), middle + half + 1))
    box = (kept, slice(0, reference.shape[1]), slice(0, reference.shape[2]))
    return Changed(image.crop(box), reference[box])


def with_stones(image: Volume, reference: np.ndarray) -> Changed:
    """Puts a stone of 9 mm at the centroid of each kidney."""
    stones = np.zeros(reference.shape, bool)
    for label in _kidneys_of(reference):
        stones |= _distance(reference.shape, np.argwhere(reference == label).mean(axis=0), image) <= _STONE_MM / 2
    labels = np.where(stones, np.uint8(STONE), reference)
    return Changed(image.like(_painted(image, stones, _STONE_HU)), labels)


def with_stents(image: Volume, reference: np.ndarray) -> Changed:
    """Puts a tube from the centroid of each kidney towards the midline and the feet."""
    tubes = np.zeros(reference.shape, bool)
    middle = np.argwhere(np.isin(reference, KIDNEY_LABELS)).mean(axis=0)[2]
    for label in _kidneys_of(reference):
        start = np.argwhere(reference == label).mean(axis=0)
        inwards = np.sign(middle - start[2]) if len(_kidneys_of(reference)) == 2 else 1.0
        way = np.array([-0.85, -0.1, 0.5 * inwards])
        way /= np.linalg.norm(way)
        for at in np.arange(0, _STENT_LENGTH_MM, 1.0):
            centre = start + way * at / np.array(image.spacing[::-1])
            low = np.maximum(np.floor(centre - 4).astype(int), 0)
            high = np.minimum(np.ceil(centre + 5).astype(int), reference.shape)
            if np.all(low < high):
                box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
                tubes[box] |= _distance(tubes[box].shape, centre - low, image) <= _STENT_MM / 2
    return Changed(image.like(_painted(image, tubes, _STENT_HU)), reference)


def with_full_pelvis(image: Volume, reference: np.ndarray) -> Changed:
    """Fills the renal sinus and what lies deep in the kidney with contrast medium."""
    spacing = image.spacing[::-1]
    full = np.zeros(reference.shape, bool)
    pads = [int(2 * _SINUS_CLOSING_MM / mm) + 1 for mm in spacing]
    for label in _kidneys_of(reference):
        own = np.pad(reference == label, [(n, n) for n in pads])
        near = distance_transform_edt(~own, sampling=spacing) <= _SINUS_CLOSING_MM
        closed = own | (distance_transform_edt(near, sampling=spacing) > _SINUS_CLOSING_MM)
        deep = distance_transform_edt(closed, sampling=spacing) >= _DEEP_MM
        full |= deep[tuple(slice(n, -n) for n in pads)]
    full &= np.isin(reference, [0, *KIDNEY_LABELS])
    return Changed(image.like(_painted(image, full, _EXCRETED_HU)), reference)


def with_bright_cortex(image: Volume, reference: np.ndarray) -> Changed:
    """Makes the outer layer of the parenchyma as bright as in the arterial phase."""
    spacing = image.spacing[::-1]
    cortex = np.zeros(reference.shape, bool)
    for label in _kidneys_of(reference):
        own = reference == label
        cortex |= own & (distance_transform_edt(own, sampling=spacing) <= _CORTEX_MM)
    own_level = float(np.median(image.voxels[cortex]))
    raised = np.where(cortex, _CORTEX_HU - own_level, 0).astype(np.float32)
    blurred = gaussian_filter(raised, [_BLUR_MM / mm for mm in spacing])
    return Changed(image.like(_stored(image.voxels + blurred)), reference)


CHANGES: dict[str, Change] = {
    "unchanged": Changed,
    "spacing +15 %": _scaled_grid(1.15),
    "spacing -15 %": _scaled_grid(0.85),
    "HU scale +15 %": _with_values(lambda hu: hu * 1.15),
    "HU scale -15 %": _with_values(lambda hu: hu * 0.85),
    "clipped at 240 HU": _with_values(lambda hu: np.minimum(hu, 240)),
    "clipped at 200 HU": _with_values(lambda hu: np.minimum(hu, 200)),
    "crop, 15 mm around": cropped,
    "slab of 15 mm": slab,
    "9 mm stones": with_stones,
    "stents": with_stents,
    "pelvis full of contrast": with_full_pelvis,
    "cortex at 330 HU": with_bright_cortex,
}


def _kidneys_of(reference: np.ndarray) -> list[int]:
    return [label for label in KIDNEY_LABELS if (reference == label).any()]


def _distance(shape: tuple[int, ...], centre: np.ndarray, image: Volume) -> np.ndarray:
    """Returns the distance of every voxel from a point ``(k, j, i)`` in mm."""
    axes = [(np.arange(n) - c) * mm for n, c, mm in zip(shape, centre, image.spacing[::-1], strict=True)]
    return np.sqrt(sum(axis**2 for axis in np.ix_(*axes)))


def _painted(image: Volume, mask: np.ndarray, hu: float) -> np.ndarray:
    """Returns the image with one density where a mask is, blurred as by a scanner."""
    share = gaussian_filter(mask.astype(np.float32), [_BLUR_MM / mm for mm in image.spacing[::-1]])
    return _stored(image.voxels * (1 - share) + hu * share)


def _stored(hu: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
