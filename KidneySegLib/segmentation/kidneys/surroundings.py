"""What lies around an outline in its axial slices: a body, air, lung, the bone of a skull.

What lies inside the outline never counts: stones, stents, contrast medium, gas and a bright cortex belong to a kidney.
Looked at are a few slices, at 2 to 3 mm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import (
    binary_closing,
    binary_dilation,
    binary_erosion,
    binary_fill_holes,
    binary_opening,
    label,
    uniform_filter,
)

from KidneySegLib.hounsfield import BELOW_FAT, BODY, BONE, COMPACT_BONE, CORTICAL_BONE, FAT_MEAN, LUNG, SPONGY_BONE
from KidneySegLib.segmentation.kidneys.outline import Outline
from KidneySegLib.volume import Volume

_SLICES, _CELL_MM = 7, 2.0
# The border is blurred and may be off by this much; what is near reaches from here to there.
_RIM_MM, _NEAR_MM = 2.0, 8.0
# Every whole cross-section of a trunk holds bone and most hold fat, noise taken out, deeper than a table is thick.
_DEEP_MM = 6.0
_LEAST_MM2, _MOST_BONE = 25.0, 0.3
# The inside of a skull: 9 cm wide in a newborn. Sutures and thin slices leave gaps.
_SKULL_MM2 = 4000.0
_GAP_MM = 4.0
_INSIDE, _LARGEST_SHARE = 0.7, 0.6


@dataclass(frozen=True)
class Surroundings:
    """Shares of what lies around an outline, 0 to 1; None where the image cannot tell.

    Attributes:
        air: of its neighbourhood within the slices that is air or lung.
        lung: of the body's cross-section that is lung.
        bodiless: of its slices in which it lies in something that ends in air all around and has no bone and no fat.
        air_seen: whether the image shows air. If its values end at a display window, the lowest of them is taken for
            air, and may be fat where the scale is wrong by a sixth.
    """

    air: float | None
    lung: float | None
    bodiless: float | None
    air_seen: bool = True


def look_around(outline: Outline, canonical: Volume) -> Surroundings:
    """Looks at the slices of an outline.

    Args:
        outline: one kidney with at least one voxel, on ``canonical``.
        canonical: the scan in HU, canonical orientation.
    """
    air = _air_level(canonical.voxels)
    if air is None:
        return Surroundings(None, None, None)
    planes = _planes(outline, canonical)
    bone = min(SPONGY_BONE, float(canonical.voxels.max()) - 1)  # where a window ends below, it is what looks white
    return Surroundings(
        air=_ratio(plane.near(air) for plane in planes),
        lung=_ratio(plane.lung(air) for plane in planes) if air == BODY else None,
        bodiless=float(np.mean([plane.bodiless(air, bone) for plane in planes])),
        air_seen=air == BODY,
    )


def bone_around(outline: Outline, canonical: Volume) -> float:
    """Returns the share of an outline's slices in which a closed ring of bone lies around it at some distance.

    Args:
        outline: one kidney with at least one voxel, on ``canonical``.
        canonical: the scan in HU, canonical orientation.
    """
    # images that end at a display window show less of compact bone
    bone = COMPACT_BONE if float(canonical.voxels.max()) > CORTICAL_BONE else BONE
    return float(np.mean([plane.in_skull(bone) for plane in _planes(outline, canonical)]))


def _planes(outline: Outline, canonical: Volume) -> list[_Plane]:
    """Returns some slices that hold the outline, evenly spaced."""
    held = np.flatnonzero(outline.mask.any(axis=(1, 2)))
    some = np.unique(np.linspace(0, held.size - 1, min(_SLICES, held.size)).round().astype(int))
    return [_Plane.of(outline, canonical, int(k)) for k in held[some]]


def _air_level(voxels: np.ndarray) -> float | None:
    """Returns the value in HU up to which a voxel is air, or None where the window hides it.

    Where an image ends at a display window, its lowest value is air as long as that lies below all fat.
    """
    lowest = float(voxels.min())
    if lowest < BODY:
        return BODY
    return lowest if lowest < BELOW_FAT else None


def _ratio(pairs: Iterable[tuple[int, int]]) -> float | None:
    """Returns the sum of the first numbers per sum of the second ones."""
    parts, wholes = np.array(list(pairs)).sum(axis=0)
    return float(parts / wholes) if wholes else None


@dataclass(frozen=True)
class _Plane:
    """One slice: HU and the outline, ``(j, i)``, and the cells' size in mm."""

    hu: np.ndarray
    outline: np.ndarray
    spacing: tuple[float, float]

    @classmethod
    def of(cls, outline: Outline, canonical: Volume, k: int) -> _Plane:
        along_i, along_j, _ = canonical.spacing
        step = max(1, round(_CELL_MM / along_j)), max(1, round(_CELL_MM / along_i))
        plane = canonical.voxels[outline.box[0].start + k]
        mask = np.zeros(plane.shape, bool)
        mask[outline.box[1], outline.box[2]] = outline.mask[k]
        return cls(plane[:: step[0], :: step[1]], mask[:: step[0], :: step[1]], (along_j * step[0], along_i * step[1]))

    def near(self, air: float) -> tuple[int, int]:
        """Returns how many cells near the outline are air, and how many there are."""
        around = self._within(_NEAR_MM) & ~self._within(_RIM_MM)
        return int(np.count_nonzero(self.hu[around] <= air)), int(np.count_nonzero(around))

    def lung(self, air: float) -> tuple[int, int]:
        """Returns how many cells of the body are lung, and how many the body has."""
        body = binary_fill_holes(self._largest(self.hu > air))
        lung = binary_opening(body & (self.hu > LUNG[0]) & (self.hu < LUNG[1]), iterations=2)
        return int(np.count_nonzero(lung)), int(np.count_nonzero(body))

    def bodiless(self, air: float, bone: float) -> bool:
        """Whether the outline lies in something that ends in air all around and holds neither bone nor fat."""
        parts, _ = label(self.hu > air)
        own = parts[self.outline & (parts > 0)]
        if own.size == 0:
            return True
        body = binary_fill_holes(parts == np.bincount(own).argmax())
        if any(edge.any() for edge in (body[0], body[-1], body[:, 0], body[:, -1])):
            return False  # the image does not show all of it
        smooth = uniform_filter(self.hu.astype(np.float32), 3)
        apart = binary_erosion(body, self._disk(_DEEP_MM)) & ~self._within(_RIM_MM)
        least = _LEAST_MM2 / (self.spacing[0] * self.spacing[1])
        bones = np.count_nonzero(binary_opening(apart & (smooth > bone), np.ones((2, 2))))
        fat = binary_opening(apart & (smooth > FAT_MEAN[0]) & (smooth < FAT_MEAN[1]), np.ones((3, 3)))
        has_bone = least <= bones <= _MOST_BONE * np.count_nonzero(apart)
        return not has_bone and bool(np.count_nonzero(fat) < least)

    def in_skull(self, bone: float) -> bool:
        """Whether a closed ring of bone lies around the outline, as far away as that of a skull."""
        if not self.outline.any():
            return False
        disk = self._disk(_GAP_MM)
        pads = [(n, n) for n in disk.shape]
        ring = binary_closing(np.pad(self.hu > bone, pads), disk)[pads[0][0] : -pads[0][0], pads[1][0] : -pads[1][0]]
        holes, _ = label(binary_fill_holes(ring) & ~ring)
        here = holes[self.outline]
        if not (here > 0).any():
            return False
        hole = int(np.bincount(here[here > 0]).argmax())
        size = np.count_nonzero(holes == hole)
        own = np.count_nonzero(self.outline)
        large = size * self.spacing[0] * self.spacing[1] >= _SKULL_MM2
        return bool(large and np.count_nonzero(here == hole) >= _INSIDE * own and own <= _LARGEST_SHARE * size)

    def _within(self, mm: float) -> np.ndarray:
        """Returns the outline and what lies within a distance of it."""
        return np.asarray(binary_dilation(self.outline, self._disk(mm)))

    def _disk(self, mm: float) -> np.ndarray:
        """Returns the cells within a distance of one."""
        rows, columns = (int(mm / axis) for axis in self.spacing)
        y, x = np.ogrid[-rows : rows + 1, -columns : columns + 1]
        disk = (y * self.spacing[0]) ** 2 + (x * self.spacing[1]) ** 2 <= mm**2
        return np.asarray(disk if disk.size > 1 else np.ones((3, 3), bool))

    @staticmethod
    def _largest(mask: np.ndarray) -> np.ndarray:

        parts, count = label(mask)
        return np.asarray(parts == 1 + np.bincount(parts.ravel())[1:].argmax()) if count else mask
