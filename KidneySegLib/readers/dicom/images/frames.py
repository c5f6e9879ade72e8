"""One image of a series, as its header describes it.

Only what reading, choosing and checking need is kept. Who the patient is stays in marks that can only be compared.
Descriptions are typed by people and may hold names: known words are looked up in them, and nothing of them is shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from KidneySegLib.readers.dicom.finding import patient_marks
from KidneySegLib.readers.dicom.finding.patient_marks import PatientMarks
from KidneySegLib.readers.dicom.finding.words import known_modality

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# CT, Enhanced CT and Legacy Converted Enhanced CT Image Storage
CT_IMAGES = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")

# All attributes that this package asks for; PixelRepresentation decides how PixelPaddingValue is to be understood.
# fmt: off
KEYWORDS = [
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality",
    "ImageType", "SeriesNumber", "InstanceNumber", "AcquisitionNumber", "TemporalPositionIdentifier",
    "AcquisitionTime", "TriggerTime", "KVP", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation",
    "PixelRepresentation", "LossyImageCompression", "NumberOfFrames", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "SliceLocation", "RescaleSlope", "RescaleIntercept", "RescaleType",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "ConvolutionKernel", "SliceThickness", "GantryDetectorTilt",
    "ContrastBolusAgent", "ContrastBolusRoute", "Manufacturer", "ManufacturerModelName", "BodyPartExamined",
    "ConcatenationUID", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "ContrastBolusAgentSequence", "SeriesDescription", "ProtocolName", "StudyDescription", "DerivationDescription",
    "DerivationCodeSequence", "ContrastBolusStartTime", *patient_marks.KEYWORDS,
]
# fmt: on


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """Header of one single-frame image or of one frame of a multi-frame image.

    Attributes:
        path: the file.
        frame: 0-based number of the frame in the file (0 for a single-frame image).
        multiframe: whether the file holds several frames.
        container_uid: what holds the frames of one multi-frame image together: the concatenation or the image itself.
        position: centre of the first pixel in mm LPS (ImagePositionPatient).
        orientation: direction cosines of a row and of a column (ImageOrientationPatient).
        pixel_spacing: distance of rows, distance of columns, in mm (the order of the attribute).
        slope, intercept: modality rescale; None where the header has none.
        padding: lowest and highest stored value that means "no pixel here".
        kernel: reconstruction kernel; several values joined by a backslash.
        contrast: whether the header names an intravenous contrast agent; None where it does not say.
        description, protocol, study_description, derivation_description: free text, never to be shown.
        derivation_codes: values of DerivationCodeSequence.
        injection_time: ContrastBolusStartTime.
        marks: tell patients and days apart.
    """

    path: Path
    frame: int
    multiframe: bool
    container_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    transfer_syntax: str
    modality: str
    image_type: tuple[str, ...]
    series_number: int | None
    instance_number: int | None
    acquisition_number: int | None
    temporal_position: int | None
    acquisition_time: str
    trigger_time: float | None
    kvp: float | None
    rows: int
    columns: int
    samples: int
    photometric: str
    lossy: bool
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_spacing: tuple[float, ...] | None
    has_slice_location: bool
    slope: float | None
    intercept: float | None
    rescale_type: str
    padding: tuple[int, int] | None
    kernel: str
    thickness: float | None
    tilt: float | None
    contrast: bool | None
    manufacturer: str
    model: str
    body_part: str
    description: str = field(default="", repr=False)
    protocol: str = field(default="", repr=False)
    study_description: str = field(default="", repr=False)
    derivation_description: str = field(default="", repr=False)
    derivation_codes: tuple[str, ...] = ()
    injection_time: str = ""
    marks: PatientMarks = PatientMarks()

    @property
    def reference(self) -> tuple[str, str, list[int] | None]:
        """Class, instance and frame number, as DICOM objects refer to it; no number where the file has one frame."""
        return self.sop_class_uid, self.sop_instance_uid, [self.frame + 1] if self.multiframe else None


def header_of(dataset: Dataset, path: Path) -> FrameHeader:
    """Takes the top level of a DICOM file; of a multi-frame file, what all frames share."""
    multiframe = "PerFrameFunctionalGroupsSequence" in dataset or (integer(dataset, "NumberOfFrames") or 1) > 1
    sop_class_uid = text(dataset, "SOPClassUID")
    sop_instance_uid = text(dataset, "SOPInstanceUID")
    return FrameHeader(
        path=path,
        frame=0,
        multiframe=multiframe,
        container_uid=(text(dataset, "ConcatenationUID") or sop_instance_uid or str(path)) if multiframe else "",
        sop_class_uid=sop_class_uid,
        sop_instance_uid=sop_instance_uid,
        study_uid=text(dataset, "StudyInstanceUID"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        frame_of_reference_uid=text(dataset, "FrameOfReferenceUID"),
        transfer_syntax=str(getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", "")),
        modality=known_modality(text(dataset, "Modality")) or ("CT" if sop_class_uid in CT_IMAGES else ""),
        image_type=texts(dataset, "ImageType"),
        series_number=integer(dataset, "SeriesNumber"),
        instance_number=integer(dataset, "InstanceNumber"),
        acquisition_number=integer(dataset, "AcquisitionNumber"),
        temporal_position=integer(dataset, "TemporalPositionIdentifier"),
        acquisition_time=text(dataset, "AcquisitionTime"),
        trigger_time=number(dataset, "TriggerTime"),
        kvp=number(dataset, "KVP"),
        rows=integer(dataset, "Rows") or 0,
        columns=integer(dataset, "Columns") or 0,
        samples=integer(dataset, "SamplesPerPixel") or 1,
        photometric=text(dataset, "PhotometricInterpretation"),
        lossy=text(dataset, "LossyImageCompression") == "01",
        position=numbers(dataset, "ImagePositionPatient", 3),
        orientation=numbers(dataset, "ImageOrientationPatient", 6),
        pixel_spacing=numbers(dataset, "PixelSpacing", 2),
        has_slice_location=number(dataset, "SliceLocation") is not None,
        slope=number(dataset, "RescaleSlope"),
        intercept=number(dataset, "RescaleIntercept"),
        rescale_type=text(dataset, "RescaleType").upper(),
        padding=_padding(dataset),
        kernel=text(dataset, "ConvolutionKernel"),
        thickness=number(dataset, "SliceThickness"),
        tilt=number(dataset, "GantryDetectorTilt"),
        contrast=_contrast(dataset),
        manufacturer=text(dataset, "Manufacturer"),
        model=text(dataset, "ManufacturerModelName"),
        body_part=text(dataset, "BodyPartExamined").upper(),
        description=text(dataset, "SeriesDescription"),
        protocol=text(dataset, "ProtocolName"),
        study_description=text(dataset, "StudyDescription"),
        derivation_description=text(dataset, "DerivationDescription"),
        derivation_codes=_codes(dataset),
        injection_time=text(dataset, "ContrastBolusStartTime"),
        marks=patient_marks.marks_of(dataset),
    )


def _value(dataset: Dataset, keyword: str) -> Any:
    """Returns a value, or None where it is absent, empty, or not what its type promises."""
    try:
        value = dataset.get(keyword)
    except (ValueError, TypeError, OverflowError, ArithmeticError):
        return None
    return None if value is None or value == "" else value


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Returns all values of an attribute as stripped text."""
    value = _value(dataset, keyword)
    if value is None:
        return ()
    values = [value] if isinstance(value, str | int | float) else list(value)
    return tuple(str(item).strip() for item in values)


def text(dataset: Dataset, keyword: str) -> str:
    """Returns an attribute as text, several values joined by a backslash, "" where it is absent."""
    return "\\".join(texts(dataset, keyword))


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Returns exactly ``count`` finite numbers, or None."""
    value = _value(dataset, keyword)
    try:
        values = tuple(float(item) for item in ([value] if count == 1 else value))
    except (TypeError, ValueError, OverflowError):
        return None
    return values if len(values) == count and all(math.isfinite(item) for item in values) else None


def number(dataset: Dataset, keyword: str) -> float | None:
    """Returns one finite number, or None."""
    values = numbers(dataset, keyword, 1)
    return values[0] if values else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """Returns one whole number, or None."""
    value = number(dataset, keyword)
    return None if value is None else int(value)


def _codes(dataset: Dataset) -> tuple[str, ...]:
    items = _value(dataset, "DerivationCodeSequence")
    return tuple(text(item, "CodeValue") for item in items) if isinstance(items, Sequence) else ()


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    """Returns the range of padding values (PS3.3 C.7.5.1.1.2); the limit may lie on either side of the value."""
    value = integer(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = integer(dataset, "PixelPaddingRangeLimit")
    return (value, value) if limit is None else (min(value, limit), max(value, limit))


def _contrast(dataset: Dataset) -> bool | None:
    """Returns whether contrast agent was given into a vein, as far as the header says."""
    route = text(dataset, "ContrastBolusRoute").upper()
    agent = text(dataset, "ContrastBolusAgent").upper()
    if agent in ("NONE", "NO"):
        return False
    if "IV" in route or "INTRAVENOUS" in route or "INTRAVENOUS" in agent:
        return True
    if "ORAL" in f"{route} {agent}" or "RECTAL" in f"{route} {agent}":
        return None
    return True if agent or _value(dataset, "ContrastBolusAgentSequence") else None
