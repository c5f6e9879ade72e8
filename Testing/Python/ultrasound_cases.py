"""Made ultrasound images: a bright ellipse in a sector, stored in the ways in which machines store them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from KidneySegLib.exam import Exam
from KidneySegLib.findings import Findings, Provenance
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.progress import silent
from KidneySegLib.readers.input import ReadOptions
from KidneySegLib.result_files.result import Result
from KidneySegLib.segmentation.load import Model
from KidneySegLib.segmentation.ultrasound.frame import largest_region
from KidneySegLib.segmentation.ultrasound.placing import segment_field
from KidneySegLib.tasks.run import input_record
from KidneySegLib.tasks.ultrasound import Ultrasound
from KidneySegLib.volume import Volume

ROWS, COLUMNS = 240, 320
WHOLE = (0, 0, COLUMNS, ROWS)
CENTRE, RADII = (120.0, 160.0), (30.0, 60.0)  # rows, columns
KIDNEY, TISSUE = 200, 90
CM, SECONDS, PER_CENT, NO_UNIT, HERTZ = 3, 4, 1, 0, 5
TWO_D, M_MODE, SPECTRAL, GRAPHICS = 1, 2, 3, 5
TISSUE_DATA, COLOUR_DATA, SPECTRUM_DATA = 1, 2, 3
DELTA = 0.08  # cm
LENGTH_MM, WIDTH_MM = 2 * RADII[1] * DELTA * 10, 2 * RADII[0] * DELTA * 10


def ellipse(
    centre: tuple[float, float] = CENTRE,
    radii: tuple[float, float] = RADII,
    shape: tuple[int, int] = (ROWS, COLUMNS),
    degrees: float = 0.0,
) -> np.ndarray:
    """Where an ellipse is, bool ``(j, i)``; ``degrees`` turn its long axis from the columns down."""
    j, i = np.indices(shape)
    angle = np.radians(degrees)
    x, y = i - centre[1], j - centre[0]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return (along / radii[1]) ** 2 + (across / radii[0]) ** 2 <= 1


def frame(*kidneys: np.ndarray, seed: int = 0, shape: tuple[int, int] = (ROWS, COLUMNS)) -> np.ndarray:
    """A B-mode frame, uint8 ``(j, i)``: speckled tissue, brighter kidneys."""
    grey = np.full(shape, float(TISSUE))
    for kidney in kidneys or (ellipse(shape=shape),):
        grey[kidney] = KIDNEY
    return np.clip(grey + np.random.default_rng(seed).normal(0, 6, shape), 20, 255).astype(np.uint8)


def sector(grey: np.ndarray, apex: tuple[float, float] = (-40, 160), degrees: float = 38) -> np.ndarray:
    """The same frame in a sector, black beside it."""
    j, i = np.indices(grey.shape)
    angle = np.degrees(np.arctan2(np.abs(i - apex[1]), j - apex[0]))
    return np.where((angle <= degrees) & (np.hypot(j - apex[0], i - apex[1]) <= 270), grey, 0).astype(np.uint8)


def coloured(grey: np.ndarray, box: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """Channels, uint8 ``(..., j, i, 3)``; a Doppler box (left, top, right, bottom) is red and blue."""
    channels = np.repeat(grey[..., None], 3, axis=-1)
    if box is not None:
        left, top, right, bottom = box
        channels[..., top:bottom, left : (left + right) // 2, :] = (220, 30, 10)
        channels[..., top:bottom, (left + right) // 2 : right, :] = (20, 40, 230)
    return channels


def region(
    box: tuple[int, int, int, int] = WHOLE,
    delta: tuple[float, float] | float | None = DELTA,
    units: tuple[int, int] = (CM, CM),
    form: int = TWO_D,
    data: int = TISSUE_DATA,
    **more: Any,
) -> Dataset:
    """An item of the Sequence of Ultrasound Regions; ``box`` is left, top, right, bottom (first ones outside)."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = form, data, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = box[0], box[1]
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box[2] - 1, box[3] - 1
    item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = units
    if delta is not None:
        x, y = delta if isinstance(delta, tuple) else (delta, delta)
        item.PhysicalDeltaX, item.PhysicalDeltaY = x, y
    for keyword, value in more.items():
        if value is None:
            delattr(item, keyword)
        else:
            setattr(item, keyword, value)
    return item


def dataset(pixels: np.ndarray, regions: Sequence[Dataset] | None = None, **attributes: Any) -> FileDataset:
    """An ultrasound image or loop.

    Args:
        pixels: uint8 ``(j, i)``, ``(j, i, 3)``, ``(k, j, i)`` or ``(k, j, i, 3)``.
        regions: None leaves the sequence out.
        attributes: further ones; None takes one away.
    """
    colour = pixels.shape[-1] == 3
    frames = pixels if pixels.ndim == 3 + colour else pixels[None]
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    many = len(frames) > 1
    made.SOPClassUID = UltrasoundMultiFrameImageStorage if many else UltrasoundImageStorage
    made.SOPInstanceUID, made.StudyInstanceUID, made.SeriesInstanceUID = (generate_uid() for _ in range(3))
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
    made.Modality, made.PatientName, made.PatientID = "US", "Doe^Jane", "1234"
    made.StudyDate, made.StudyTime, made.InstanceNumber = "20250331", "101500", 1
    made.Rows, made.Columns = frames.shape[1:3]
    made.SamplesPerPixel = 3 if colour else 1
    made.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        made.PlanarConfiguration = 0
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation = 7, 0
    if many:
        made.NumberOfFrames = len(frames)
        made.FrameTime = 33
    if regions is not None:
        made.SequenceOfUltrasoundRegions = list(regions)
    data = frames.tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
    for keyword, value in attributes.items():
        if value is None:
            delattr(made, keyword)
        else:
            setattr(made, keyword, value)
    return made


def write(folder: Path, pixels: np.ndarray, regions: Sequence[Dataset] | None = None, **attributes: Any) -> Path:
    """Writes an image or loop; see ``dataset``."""
    path = folder / "image.dcm"
    dataset(pixels, regions, **attributes).save_as(path, enforce_file_format=True)
    return path


def bright(field: Volume) -> tuple[np.ndarray, list[Flag]]:
    """Outlines what is brighter than tissue: stands for the network."""
    return np.stack([largest_region(grey > (KIDNEY + TISSUE) // 2) for grey in field.voxels]), []


class BrightEllipse(Ultrasound):
    """The task, with a threshold in place of its network."""

    stages = ()

    def segment(self, exam: Exam, model: Model, progress: Any) -> Segmentation:
        return segment_field(exam, bright)


def read(path: Path, **options: Any) -> Exam:
    """Reads an input as the task does."""
    return Ultrasound().read(path, ReadOptions(**options), silent)


def provenance(exam: Exam) -> Provenance:
    """What a run would record."""
    return Provenance(
        "2025-03-31T10:15:00+00:00",
        "cpu",
        "float32",
        input_record(exam),
        settings={"task": "ultrasound", **exam.settings},
    )


def result_of(path: Path, **options: Any) -> Result:
    """Reads, outlines by brightness and measures."""
    exam = read(path, **options)
    segmentation = segment_field(exam, bright)
    return Result(exam, segmentation, Ultrasound().describe(exam, segmentation, None, provenance(exam)))


def findings_of(path: Path, **options: Any) -> Findings:
    """Reads, outlines by brightness and measures."""
    return result_of(path, **options).findings


def codes(findings: Findings) -> set[str]:
    """Codes of its flags."""
    return {flag.code for flag in findings.flags}
