"""Writes DICOM series with any geometry and any fault, and checks what was read from them.

Images are given as HU arrays (rows, columns) and positions as mm LPS. Every attribute can be replaced: by a value, by a
function of the image's number, or by ``None``, which leaves the attribute out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

from KidneySegLib.exam import Exam
from KidneySegLib.volume import Volume

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def axes(orientation: Sequence[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the directions of a row, of a column, and of the normal."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    return row, column, np.cross(row, column)


def rotated(degrees: tuple[float, float, float]) -> tuple[float, ...]:
    """Returns the orientation of axial images after turns about x, y and z."""
    a, b, c = np.radians(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    turn = about_z @ about_y @ about_x
    return (*turn[:, 0], *turn[:, 1])


def even_positions(
    origin: Sequence[float], orientation: Sequence[float], spacing: float, count: int
) -> list[np.ndarray]:
    """Returns ``count`` positions, ``spacing`` mm apart along the normal."""
    normal = axes(orientation)[2]
    return [np.array(origin, dtype=float) + k * spacing * normal for k in range(count)]


def ramp(points: np.ndarray) -> np.ndarray:
    """Returns a HU value for each point (..., 3) in mm LPS.

    It is linear, so linear interpolation keeps it exactly, and it differs in every direction, so a wrong place, a flip
    or a wrong spacing shows in every voxel.
    """
    return points @ np.array([2.0, 3.0, 5.0]) - 690.0


def sample(
    field: Callable[[np.ndarray], np.ndarray],
    position: np.ndarray,
    orientation: Sequence[float],
    pixel_spacing: tuple[float, float],
    shape: tuple[int, int],
) -> np.ndarray:
    """Returns the image (rows, columns) of a field in the plane of one slice."""
    row, column, _ = axes(orientation)
    j, i = np.mgrid[: shape[0], : shape[1]]
    points = position + i[..., None] * pixel_spacing[1] * row + j[..., None] * pixel_spacing[0] * column
    return np.rint(field(points)).astype(np.int32)


def assert_ramp(volume: Volume, tolerance: float = 0.51) -> None:
    """Every voxel has the value that the field has at its place (rounded to whole HU)."""
    points = volume.to_lps(np.stack(np.indices(volume.voxels.shape), axis=-1))
    expected = np.maximum(ramp(points), -1024)
    np.testing.assert_allclose(volume.voxels, expected, atol=tolerance)


def codes(acquisition: Exam) -> list[str]:
    """The flags' codes; whether the ramp happens to be positive everywhere does not matter here."""
    return [flag.code for flag in acquisition.flags if flag.code != "not_hounsfield"]


def write_field(
    folder: Path,
    positions: Sequence[np.ndarray],
    *,
    field: Callable[[np.ndarray], np.ndarray] = ramp,
    orientation: Sequence[float] = AXIAL,
    pixel_spacing: tuple[float, float] = (1.5, 0.75),
    shape: tuple[int, int] = (10, 12),
    **attributes: Any,
) -> list[Path]:
    """Writes what a scanner would make of ``field`` at the given slice positions."""
    images = [sample(field, position, orientation, pixel_spacing, shape) for position in positions]
    return write_series(folder, images, positions, orientation=orientation, pixel_spacing=pixel_spacing, **attributes)


def write_series(
    folder: Path,
    images: Sequence[np.ndarray],
    positions: Sequence[np.ndarray],
    *,
    orientation: Sequence[float] = AXIAL,
    pixel_spacing: tuple[float, float] = (1.0, 1.0),
    names: Sequence[str] | None = None,
    transfer_syntax: str = ExplicitVRLittleEndian,
    signed: bool = True,
    slope: float = 1,
    intercept: float = -1024,
    **attributes: Any,
) -> list[Path]:
    """Writes one file per image.

    Args:
        folder: made where it does not exist.
        images: HU arrays (rows, columns).
        positions: ImagePositionPatient of each.
        orientation: ImageOrientationPatient.
        pixel_spacing: distance of rows, distance of columns.
        names: file names; by default in the order given.
        transfer_syntax: compressed ones need gdcm.
        signed: PixelRepresentation.
        slope: RescaleSlope, with which stored values are made from HU.
        intercept: RescaleIntercept.
        attributes: by keyword: value, function of the image's number, or None.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = names or [f"image{n:03d}.dcm" for n in range(len(images))]
    series = generate_uid()
    frame_of_reference = generate_uid()
    paths = []
    for n, (image, position) in enumerate(zip(images, positions, strict=True)):
        dataset = _file(CTImageStorage, series, frame_of_reference)
        dataset.InstanceNumber = n + 1
        dataset.AcquisitionNumber = 1
        dataset.SliceThickness = 1
        dataset.ImagePositionPatient = [f"{value:.9g}" for value in position]
        dataset.ImageOrientationPatient = [f"{value:.9g}" for value in orientation]
        dataset.PixelSpacing = list(pixel_spacing)
        dataset.RescaleSlope = slope
        dataset.RescaleIntercept = intercept
        _store(dataset, np.rint((image - intercept) / slope)[None], signed)
        paths.append(folder / names[n])
        save(dataset, paths[-1], {key: _of(value, n) for key, value in attributes.items()}, transfer_syntax)
    return paths


def write_enhanced(
    path: Path,
    images: Sequence[np.ndarray],
    positions: Sequence[np.ndarray],
    *,
    orientation: Sequence[float] = AXIAL,
    pixel_spacing: tuple[float, float] = (1.0, 1.0),
    intercepts: Sequence[float] | None = None,
    temporal: Sequence[int] | None = None,
    transfer_syntax: str = ExplicitVRLittleEndian,
    **attributes: Any,
) -> Path:
    """Writes an Enhanced CT: all images as frames of one file, in the order given.

    Args:
        path: the file.
        images: HU arrays (rows, columns).
        positions: ImagePositionPatient of each.
        orientation: ImageOrientationPatient, shared by all frames.
        pixel_spacing: distance of rows, distance of columns, shared.
        intercepts: RescaleIntercept of each frame; by default -1024, shared.
        temporal: TemporalPositionIndex of each frame.
        transfer_syntax: compressed ones need gdcm.
        attributes: as in ``write_series``.
    """
    dataset = _file(EnhancedCTImageStorage, generate_uid(), generate_uid())
    measures = _item(PixelSpacing=list(pixel_spacing), SliceThickness=1)
    plane = _item(ImageOrientationPatient=list(orientation))
    shared = _item(PixelMeasuresSequence=[measures], PlaneOrientationSequence=[plane])
    if intercepts is None:
        shared.PixelValueTransformationSequence = DicomSequence([_transformation(-1024)])
    frames = []
    for n, position in enumerate(positions):
        frame = _item(PlanePositionSequence=[_item(ImagePositionPatient=[float(value) for value in position])])
        if intercepts is not None:
            frame.PixelValueTransformationSequence = DicomSequence([_transformation(intercepts[n])])
        if temporal is not None:
            frame.FrameContentSequence = DicomSequence([_item(TemporalPositionIndex=temporal[n])])
        frames.append(frame)
    dataset.SharedFunctionalGroupsSequence = DicomSequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = DicomSequence(frames)
    dataset.NumberOfFrames = len(images)
    offsets = np.array(intercepts if intercepts is not None else [-1024] * len(images))
    _store(dataset, np.array(images) - offsets[:, None, None], signed=True)
    save(dataset, path, attributes, transfer_syntax)
    return path


def save(dataset: Dataset, path: Path, attributes: dict[str, Any], transfer_syntax: str) -> None:
    """Changes attributes and writes the file, compressed where asked for."""
    for keyword, value in attributes.items():
        if value is None:
            if keyword in dataset:
                delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID") or "1.2.3"
    dataset.save_as(path, enforce_file_format=True)
    if transfer_syntax != ExplicitVRLittleEndian:
        transcode(path, transfer_syntax)


def transcode(path: Path, transfer_syntax: str) -> None:
    """Stores a file's pixels in another transfer syntax, in place."""
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(transfer_syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def _file(sop_class: str, series: str, frame_of_reference: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    dataset.SeriesInstanceUID = series
    dataset.FrameOfReferenceUID = frame_of_reference
    dataset.PatientName = "Secret^Patient"
    dataset.PatientID = "SECRET-ID"
    dataset.StudyDate = "20010203"
    dataset.SeriesDescription = "SECRET DESCRIPTION"
    dataset.Modality = "CT"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SeriesNumber = 2
    dataset.KVP = 120
    dataset.ConvolutionKernel = "STANDARD"
    dataset.Manufacturer = "Maker"
    dataset.ManufacturerModelName = "Model"
    return dataset


def _store(dataset: Dataset, stored: np.ndarray, signed: bool) -> None:
    """Puts the stored values (frames, rows, columns) into the data set, as 16 bits."""
    limits = np.iinfo(np.int16 if signed else np.uint16)
    assert stored.min() >= limits.min and stored.max() <= limits.max
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape[1:]
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = int(signed)
    dataset.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()


def _transformation(intercept: float) -> Dataset:
    return _item(RescaleSlope=1, RescaleIntercept=intercept, RescaleType="HU")


def _item(**attributes: Any) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, DicomSequence(value) if keyword.endswith("Sequence") else value)
    return item


def _of(value: Any, n: int) -> Any:
    return value(n) if callable(value) else value


def write_ct(folder: Path, count: int = 4, **attributes: object) -> list[Path]:
    """Writes a small axial CT with random values."""
    rng = np.random.default_rng(3)
    images = rng.integers(-1000, 1000, (count, 16, 12))
    return write_series(folder, images, even_positions((0, 0, 0), (1, 0, 0, 0, 1, 0), 2.0, count), **attributes)
