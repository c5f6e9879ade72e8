"""Series in every geometry with a result on them, and a reader of DICOM segmentations that is not ours.

The anatomy is given in patient coordinates, so that it is the same whatever the storage: two kidneys, a mass and two
cysts in the left one, a stone in each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dicom_writing import AXIAL, CORONAL, SAGITTAL, axes, even_positions, rotated, write_enhanced, write_field
from dicom_writing import sample as sample_field
from pydicom import dcmread
from pydicom.dataset import Dataset
from result_cases import described, result_of

from KidneySegLib.exam import Source
from KidneySegLib.findings import BundleRecord, Findings, InputRecord, Provenance
from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.result_files.result import Result
from KidneySegLib.volume import Volume

# label, centre and radii in mm LPS; later ones lie inside earlier ones
BODIES = (
    (1, (-60, 10, 0), (26, 22, 42)),
    (2, (60, 10, 5), (26, 22, 42)),
    (3, (80, 10, 12), (14, 14, 14)),
    (4, (60, 20, -22), (9, 9, 9)),
    (4, (52, 4, 34), (8, 8, 8)),
    (5, (-60, 10, -8), (6, 6, 6)),
    (5, (56, 8, 6), (5, 5, 5)),
)
PIXEL, SHAPE = (4.0, 4.2), (58, 62)
SHA256 = "0123456789abcdef" * 4


@dataclass(frozen=True)
class Case:
    """A series and a result on it."""

    series: Path
    volume: Volume
    labels: np.ndarray
    findings: Findings

    @property
    def result(self) -> Result:
        """All of it."""
        return result_of(self.volume, self.labels, self.findings)


def body(points: np.ndarray) -> np.ndarray:
    """HU of a trunk: fat at the sides, soft tissue inside, a little slope so that no two pixels are alike."""
    x, y = points[..., 0], points[..., 1]
    inside = (x / 115) ** 2 + (y / 95) ** 2 <= 1
    return np.where(inside, 40 + x / 10 + y / 20, -1000)


def paint(volume: Volume) -> np.ndarray:
    """The anatomy as labels on a volume's grid."""
    points = volume.to_lps(np.stack(np.indices(volume.voxels.shape), axis=-1))
    labels = np.zeros(volume.voxels.shape, np.uint8)
    for label, centre, radii in BODIES:
        labels[(((points - centre) / radii) ** 2).sum(axis=-1) <= 1] = label
    return labels


def provenance_of(volume: Volume, source: Source, **settings: Any) -> Provenance:
    """How a result on a series came about."""
    return Provenance(
        started_utc="2026-01-01T00:00:00+00:00",
        device="cpu",
        precision="float32",
        input=InputRecord.of(volume, "dicom", source.to_dict()),
        bundles=(BundleRecord("ct-kidney", "1.1.0", SHA256),),
        settings=settings,
    )


def result_on(series: Path, **settings: Any) -> Case:
    """Reads a series and describes the anatomy on it."""
    acquisition = read_ct(series)
    volume = acquisition.stored
    labels = paint(volume)
    provenance = provenance_of(volume, acquisition.source, **settings)
    return Case(series, volume, labels, described(volume, labels, flags=[], provenance=provenance))


def stack(orientation: tuple[float, ...], spacing: float = 5.0, count: int = 26) -> list[np.ndarray]:
    """Even positions of images whose middle is the origin of the patient's coordinates."""
    row, column, normal = axes(orientation)
    middle = row * PIXEL[1] * (SHAPE[1] - 1) / 2 + column * PIXEL[0] * (SHAPE[0] - 1) / 2
    return even_positions(-middle - normal * spacing * (count - 1) / 2, orientation, spacing, count)


def _plain(folder: Path, orientation: tuple[float, ...] = AXIAL, **more: Any) -> None:
    count = more.pop("count", 26)
    positions = more.pop("positions", None) or stack(orientation, count=count)
    more = {"pixel_spacing": PIXEL, "shape": SHAPE, **more}
    write_field(folder, positions, field=body, orientation=orientation, **more)


def _enhanced(folder: Path) -> None:
    positions = stack(AXIAL)
    images = [sample_field(body, position, AXIAL, PIXEL, SHAPE) for position in positions]
    order = np.random.default_rng(1).permutation(len(images))
    folder.mkdir()
    write_enhanced(
        folder / "enhanced.dcm", [images[n] for n in order], [positions[n] for n in order], pixel_spacing=PIXEL
    )


def _enhanced_per_frame(folder: Path) -> None:
    """A multi-frame image that states spacing and orientation for each frame, and no thickness."""
    _enhanced(folder)
    path = folder / "enhanced.dcm"
    image = dcmread(path)
    shared = image.SharedFunctionalGroupsSequence[0]
    del shared.PixelMeasuresSequence[0].SliceThickness
    for item in image.PerFrameFunctionalGroupsSequence:
        item.PlaneOrientationSequence = shared.PlaneOrientationSequence
        item.PixelMeasuresSequence = shared.PixelMeasuresSequence
    del shared.PlaneOrientationSequence, shared.PixelMeasuresSequence
    image.save_as(path)


def _tilted(folder: Path) -> None:
    positions = [p + (0, 0.3 * p[2], 0) for p in stack(AXIAL)]
    _plain(folder, positions=positions, GantryDetectorTilt=16.7)


def _slanted(folder: Path) -> None:
    """Beside each other by less than what counts as a tilt."""
    _plain(folder, positions=[p + (0.0009 * (p[2] + 65), 0, 0) for p in stack(AXIAL)])


def _uneven(folder: Path) -> None:
    heights = np.concatenate([np.arange(-64, 0, 3.0), np.arange(0, 66, 5.0)])
    _plain(folder, positions=[stack(AXIAL)[0] * (1, 1, 0) + (0, 0, z) for z in heights])


def _rounded(folder: Path) -> None:
    jitter = np.random.default_rng(2).uniform(-0.09, 0.09, 26)
    jitter[[0, -1]] = 0
    _plain(folder, positions=[p + (0, 0, z) for p, z in zip(stack(AXIAL), jitter, strict=True)])


GEOMETRIES: dict[str, Callable[[Path], None]] = {
    "axial": _plain,
    "square pixels": lambda folder: _plain(folder, pixel_spacing=(4.0, 4.0), shape=(56, 64)),
    "files reversed": lambda folder: _plain(folder, positions=stack(AXIAL)[::-1]),
    "feet first": lambda folder: _plain(folder, (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0), PatientPosition="FFS"),
    "prone": lambda folder: _plain(folder, (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0), PatientPosition="HFP"),
    "oblique": lambda folder: _plain(folder, rotated((12, -9, 6)), count=30),
    "sagittal": lambda folder: _plain(folder, SAGITTAL, count=46),
    "coronal": lambda folder: _plain(folder, CORONAL, count=30),
    "gantry tilt": _tilted,
    "slight slant": _slanted,
    "uneven spacing": _uneven,
    "missing slice": lambda folder: _plain(folder, positions=[p for n, p in enumerate(stack(AXIAL)) if n != 12]),
    "rounded positions": _rounded,
    "multi-frame": _enhanced,
    "multi-frame, all per frame": _enhanced_per_frame,
    "no thickness": lambda folder: _plain(folder, SliceThickness=None),
    "negative spacing": lambda folder: _plain(folder, SpacingBetweenSlices=-5),
}


def make_case(folder: Path, geometry: str = "axial", **settings: Any) -> Case:
    """Writes a series of ``GEOMETRIES`` and a result on it."""
    GEOMETRIES[geometry](folder / "series")
    return result_on(folder / "series", **settings)


def frames_of(segmentation: Dataset) -> list[tuple[int, np.ndarray, Dataset]]:
    """Takes a binary segmentation apart by hand: segment number, mask (rows, columns), functional groups of a frame."""
    pixels = segmentation.pixel_array.reshape(-1, segmentation.Rows, segmentation.Columns)
    items = segmentation.PerFrameFunctionalGroupsSequence
    return [
        (int(item.SegmentIdentificationSequence[0].ReferencedSegmentNumber), mask, item)
        for mask, item in zip(pixels, items, strict=True)
    ]


def masks_on(volume: Volume, segmentation: Dataset) -> dict[int, np.ndarray]:
    """Puts the frames of a binary segmentation onto a volume's grid, by their coordinates alone."""
    shared = segmentation.SharedFunctionalGroupsSequence[0]
    orientation = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float)
    between_rows, between_columns = map(float, shared.PixelMeasuresSequence[0].PixelSpacing)
    masks: dict[int, np.ndarray] = {}
    for number, mask, item in frames_of(segmentation):
        corner = np.array(item.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        j, i = np.nonzero(mask)
        points = corner + np.outer(i * between_columns, orientation[:3]) + np.outer(j * between_rows, orientation[3:])
        kji = volume.to_kji(points)
        assert np.abs(kji - np.rint(kji)).max(initial=0) < 0.05, "the frame does not lie on the volume's voxels"
        found = masks.setdefault(number, np.zeros(volume.voxels.shape, bool))
        found[tuple(np.rint(kji).astype(int).T)] = True
    return masks


def read(path: Path) -> Dataset:
    """Reads a DICOM file."""
    return dcmread(path)
