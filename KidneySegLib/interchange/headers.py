"""Headers as DICOM results need them: nothing missing that must be there, nothing wrong that would be copied."""

from collections.abc import Sequence

from pydicom.dataset import Dataset
from pydicom.valuerep import DA, TM, DSfloat

from KidneySegLib.readers.dicom.images.frames import FrameHeader

# Attributes of patient and study that must be present in every instance, if only empty (type 2, PS3.3 C.7.1 and C.7.2).
REQUIRED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
)
SEXES = ("M", "F", "O")


def complete(dataset: Dataset, frame: FrameHeader, spacing_mm: float) -> Dataset:
    """Adds what is missing and empties what is not valid, so that results do not inherit it.

    Args:
        dataset: header of an image; it is changed.
        frame: the same image, or the first frame of it, as the reader understood it.
        spacing_mm: distance of slices, which stands for their thickness where the header states none.

    Returns:
        The same data set.
    """
    complete_patient(dataset)
    _state_geometry(dataset, frame, spacing_mm)
    return dataset


def complete_patient(dataset: Dataset) -> Dataset:
    """Adds what is missing of patient and study and empties what is not valid; returns the same data set."""
    for keyword in REQUIRED:
        if keyword not in dataset:
            setattr(dataset, keyword, "")
    if dataset.PatientSex not in ("", None, *SEXES):
        dataset.PatientSex = ""
    for keyword in ("PatientBirthDate", "StudyDate", "StudyTime"):
        if not _is_valid(dataset, keyword):
            setattr(dataset, keyword, "")
    return dataset


def _state_geometry(dataset: Dataset, frame: FrameHeader, spacing_mm: float) -> None:
    """States thickness, spacing and orientation where highdicom looks for them.

    A multi-frame image may state them for each frame anew; the reader took only frames that have them in common.
    """
    stated = frame.thickness or 0.0
    thickness = DSfloat(stated if stated > 0 else spacing_mm, auto_format=True)
    if not frame.multiframe:
        dataset.SliceThickness = thickness
        return
    orientation, measures = Dataset(), Dataset()
    orientation.ImageOrientationPatient = _numbers(frame.orientation)
    measures.PixelSpacing = _numbers(frame.pixel_spacing)
    measures.SliceThickness = thickness
    if not dataset.get("SharedFunctionalGroupsSequence"):
        dataset.SharedFunctionalGroupsSequence = [Dataset()]
    shared = dataset.SharedFunctionalGroupsSequence[0]
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]


def _numbers(values: Sequence[float] | None) -> list[DSfloat]:

    return [DSfloat(value, auto_format=True) for value in values or ()]


def _is_valid(dataset: Dataset, keyword: str) -> bool:
    """Whether a date or time can be read as one; de-identified series hold words there."""
    try:
        (DA if keyword.endswith("Date") else TM)(dataset[keyword].value or None)
    except (ValueError, TypeError):
        return False
    return True
