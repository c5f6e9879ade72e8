"""The ultrasound image behind a result: it has no place in the patient, so its frame alone is referred to."""

from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings
from KidneySegLib.interchange.headers import complete_patient
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom, scan
from KidneySegLib.readers.dicom.finding.source_frames import source_frames
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.dicom.images.opening import open_dicom

# What would place the image in the patient, give it a size that its regions do not have, or make it another image than
# its one frame.
_LEFT_OUT = (
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
)


@dataclass(frozen=True)
class ViewImage:
    """The image of a result.

    Attributes:
        dataset: header of its file without pixels, as that of a single frame without a place in the patient.
        frames: the frames that were read, one for each slice of the label map.
    """

    dataset: Dataset
    frames: tuple[FrameHeader, ...]


def read_view_image(source: Path, findings: Findings) -> ViewImage:
    """Reads the header of the image that a result was made from.

    Args:
        source: its file, or the folder that it lies in.
        findings: of the result; their provenance names the image.

    Raises:
        InputError: the result was not made from DICOM, its image is not there, or it lacks the identifiers that DICOM
            results share or refer to.
    """
    frames = source_frames(scan(source)[0], findings.provenance.input.source)
    if not (frames[0].study_uid and frames[0].series_uid):
        raise InputError(
            "The image does not name its study and series, which DICOM results must share. Export it again from the "
            "archive."
        )
    with quiet_pydicom():
        dataset = open_dicom(frames[0].path, stop_before_pixels=True, force=True)
        for keyword in _LEFT_OUT:
            if keyword in dataset:
                delattr(dataset, keyword)
        return ViewImage(complete_patient(dataset), frames)
