"""Which slices a radiologist wants to see of a result, cut out of the volume.

Pictures follow the radiological convention: axial slices are seen from the feet and coronal ones from the front (the
patient's right on the picture's left), sagittal ones from the patient's left (the front on the picture's left). Oblique
grids are cut along their own planes.
"""

from dataclasses import dataclass

import numpy as np

from KidneySegLib.findings import Measures, word_of
from KidneySegLib.geometry.boxes import bounding_boxes
from KidneySegLib.hounsfield import BODY
from KidneySegLib.structures import KIDNEYS, Side
from KidneySegLib.volume import Volume

# Below this share of its own largest cross-section a kidney is not well shown by a slice chosen for both.
SHOWN_WELL = 0.6
# What is kept above and below the kidneys in coronal and sagittal views.
MARGIN_MM = 40.0
# A close-up shows this many times the lesion's diameter, and at least this much.
CLOSE_UP_PER_DIAMETER, CLOSE_UP_MM = 2.2, 60.0


@dataclass(frozen=True)
class View:
    """One slice, ready to be drawn.

    Attributes:
        name: what it is called in the picture.
        image: HU, float32, rows from top to bottom, columns from left to right.
        labels: labels, uint8, same shape.
        spacing: distance of rows and of columns in mm.
        letters: patient direction at the left, right, top and bottom border.
        focus: what must be seen: first and last row, first and last column.
        lines: lines to be drawn, each from row, column to row, column; whole numbers are centres of pixels.
        index: which slice it is, from 0, counted from the feet, the front or the right; of a loop which frame.
        scale_bar: whether the size of a pixel is known.
    """

    name: str
    image: np.ndarray
    labels: np.ndarray
    spacing: tuple[float, float]
    letters: tuple[str, str, str, str]
    focus: tuple[int, int, int, int]
    lines: tuple[tuple[float, float, float, float], ...] = ()
    index: int = 0
    scale_bar: bool = True


class ViewFinder:
    """Cuts the views out of one volume and its label map, without a copy of either."""

    def __init__(self, volume: Volume, labels: np.ndarray, *, sides_certain: bool = True) -> None:
        """Looks where the kidneys are.

        Args:
            volume: the image in HU, axes in canonical order.
            labels: its label map, uint8 ``(k, j, i)``.
            sides_certain: whether the header's directions are the patient's; else each has a question mark.
        """
        self.sides_certain = sides_certain
        self.canonical = volume
        self.voxels = volume.voxels
        self.labels = labels
        self.spacing = volume.spacing
        boxes = bounding_boxes(self.labels)
        self.boxes = {side: boxes[KIDNEYS[side].label] for side in Side if KIDNEYS[side].label in boxes}
        self.areas = {side: self._areas(side) for side in self.boxes}

    def value_range(self) -> tuple[float, float]:
        """Returns the smallest and largest HU, from every fourth row and column."""
        sample = self.voxels[:, ::4, ::4]
        return float(np.nanmin(sample)), float(np.nanmax(sample))

    def axial(self) -> list[View]:
        """Returns one slice that shows both kidneys well, or the largest cross-section of each."""
        shared, score = self._shared_index(axis=0)
        if len(self.boxes) < 2 or score >= SHOWN_WELL:
            return [self._axial("Axial", shared)]
        return [self._axial(f"Axial, {self._word(side)} kidney", self._largest(side, axis=0)) for side in self.boxes]

    def coronal(self) -> View:
        """Returns the slice that shows the kidneys best."""
        j, _ = self._shared_index(axis=1)
        image, labels = self._cut(np.s_[::-1, j, :])
        columns = _body(image, axis=1)
        focus = (*self._rows_around_kidneys(), *columns)
        return View("Coronal", image, labels, self._pixel(0, 2), self._letters("RLHF"), focus, index=j)

    def sagittal(self) -> list[View]:
        """Returns the largest sagittal cross-section of each kidney, or the middle slice if there is none."""
        if not self.boxes:
            return [self._sagittal("Sagittal", self.voxels.shape[2] // 2)]
        return [
            self._sagittal(f"Sagittal, {self._word(side)} kidney", self._largest(side, axis=2)) for side in self.boxes
        ]

    def close_up(self, name: str, measures: Measures) -> View:
        """Returns the axial slice with a body's largest diameter, its surroundings, and both diameters as lines."""
        pairs = (
            (measures.axial_start_lps_mm, measures.axial_end_lps_mm),
            (measures.perpendicular_start_lps_mm, measures.perpendicular_end_lps_mm),
        )
        ends = self.canonical.to_kji(np.array(pairs))  # line, end, (k, j, i)
        k = int(np.clip(round(float(ends[0, 0, 0])), 0, self.voxels.shape[0] - 1))
        image, labels = self._cut(np.s_[k, :, :])
        pixel = self._pixel(1, 2)
        half = max(measures.axial_diameter_mm * CLOSE_UP_PER_DIAMETER, CLOSE_UP_MM) / 2
        focus = []
        for centre, mm, size in zip(ends[0].mean(axis=0)[1:], pixel, image.shape, strict=True):
            first, last = round(centre - half / mm), round(centre + half / mm)
            focus += [min(max(0, first), size - 1), min(max(0, last), size - 1)]
        lines = tuple((float(a[1]), float(a[2]), float(b[1]), float(b[2])) for a, b in ends)
        return View(name, image, labels, pixel, self._letters("RLAP"), tuple(focus), lines, k)

    def _axial(self, name: str, k: int) -> View:
        image, labels = self._cut(np.s_[k, :, :])
        focus = (*_body(image, axis=0), *_body(image, axis=1))
        caption = f"{name}, slice {k + 1} of {self.voxels.shape[0]} from the feet"
        return View(caption, image, labels, self._pixel(1, 2), self._letters("RLAP"), focus, index=k)

    def _sagittal(self, name: str, i: int) -> View:
        image, labels = self._cut(np.s_[::-1, :, i])
        focus = (*self._rows_around_kidneys(), *_body(image, axis=1))
        return View(name, image, labels, self._pixel(0, 1), self._letters("APHF"), focus, index=i)

    def _word(self, side: Side) -> str:
        return word_of(side, certain=self.sides_certain)

    def _letters(self, letters: str) -> tuple[str, str, str, str]:
        """Returns the directions at the left, right, top and bottom border."""
        left, right, top, bottom = (letter if self.sides_certain else f"{letter}?" for letter in letters)
        return left, right, top, bottom

    def _cut(self, index: tuple[slice | int, ...]) -> tuple[np.ndarray, np.ndarray]:
        return self.voxels[index].astype(np.float32), np.ascontiguousarray(self.labels[index])

    def _pixel(self, row_axis: int, column_axis: int) -> tuple[float, float]:
        """Returns the distances of rows and columns for two array axes (0 = k)."""
        return self.spacing[2 - row_axis], self.spacing[2 - column_axis]

    def _areas(self, side: Side) -> list[np.ndarray]:
        """Returns the kidney's voxel counts slice by slice along k, j and i, inside its bounding box."""
        mask = self.labels[self.boxes[side]] == KIDNEYS[side].label
        return [np.count_nonzero(mask, axis=axes) for axes in ((1, 2), (0, 2), (0, 1))]

    def _largest(self, side: Side, axis: int) -> int:
        return int(self.areas[side][axis].argmax()) + self.boxes[side][axis].start

    def _shared_index(self, axis: int) -> tuple[int, float]:
        """Returns the slice in which the less well shown kidney is shown best, and how well that is (0 to 1)."""
        size = self.voxels.shape[axis]
        if not self.boxes:
            return size // 2, 0.0
        shares = np.zeros((len(self.boxes), size))
        for row, side in zip(shares, self.boxes, strict=True):
            counts = self.areas[side][axis]
            row[self.boxes[side][axis]] = counts / counts.max()
        worst = shares.min(axis=0)
        if worst.max() == 0:  # no slice has both, as with a kidney in the pelvis
            worst = shares.max(axis=0) / size
        return int(worst.argmax()), float(worst.max())

    def _rows_around_kidneys(self) -> tuple[int, int]:
        """Returns the first and last picture row (head at the top) of coronal and sagittal views."""
        size = self.voxels.shape[0]
        if not self.boxes:
            return 0, size - 1
        margin = MARGIN_MM / self.spacing[2]
        lowest = min(box[0].start for box in self.boxes.values()) - margin
        highest = max(box[0].stop for box in self.boxes.values()) - 1 + margin
        return max(0, int(size - 1 - highest)), min(size - 1, int(size - 1 - lowest))


def _body(image: np.ndarray, axis: int) -> tuple[int, int]:
    """Returns the first and last row (``axis`` 0) or column (``axis`` 1) of the body in a slice, without the table."""
    from scipy.ndimage import find_objects, label

    regions, count = label(image > max(BODY, float(image.min()) + 1))
    if count == 0:
        return 0, image.shape[axis] - 1
    largest = int(np.bincount(regions.ravel())[1:].argmax())
    extent = find_objects(regions)[largest][axis]
    return extent.start, extent.stop - 1
