"""The images that a result was made from: their headers, which DICOM results refer to and inherit from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from KidneySegLib.errors import InputError
from KidneySegLib.findings import Findings
from KidneySegLib.interchange.headers import complete
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom, scan
from KidneySegLib.readers.dicom.finding.source_frames import frame_key, slice_keys, source_frames
from KidneySegLib.readers.dicom.images.frames import FrameHeader
from KidneySegLib.readers.dicom.images.geometry import placement_problem
from KidneySegLib.readers.dicom.images.opening import open_dicom


@dataclass(frozen=True)
class SourceImages:
    """The images behind a result.

    Attributes:
        datasets: their headers without pixels, one per instance, in the order of ``frames``.
        frames: the images, or the frames of a multi-frame image, ascending along the normal; each once.
        of_slice: for each slice k that was read the number of its frame in ``frames``, None where the slice was
            interpolated; empty where the volume was resampled, so that no slice is an image's.
    """

    datasets: tuple[Dataset, ...]
    frames: tuple[FrameHeader, ...]
    of_slice: tuple[int | None, ...]

    @property
    def frame_of_reference_uid(self) -> str:
        """UID of the coordinate system that all positions are in."""
        return self.frames[0].frame_of_reference_uid


def read_source_images(series: Path, findings: Findings) -> SourceImages:
    """Reads the headers of the images that a result was made from.

    Args:
        series: folder of the series, searched with all its subfolders, or one file of it.
        findings: of the result; their provenance names the images.

    Raises:
        InputError: the result was not made from DICOM, or its images are not there, not all there, or lack what
            DICOM results need.
    """
    record = findings.provenance.input.source
    keys = slice_keys(record)
    frames = source_frames(scan(series)[0], record)
    _check_usable(frames)
    places = {frame_key(frame): place for place, frame in enumerate(frames)}
    slices = () if record["resampled"] else tuple(places.get(key) for key in keys)
    return SourceImages(tuple(_headers(frames, findings.provenance.input.spacing_mm[2])), frames, slices)


def _check_usable(frames: Sequence[FrameHeader]) -> None:
    """Checks what every DICOM result needs of its images."""
    problem = next((sentence for frame in frames if (sentence := placement_problem(frame))), None)
    if problem is not None:
        raise InputError(problem)
    if not (frames[0].frame_of_reference_uid and frames[0].study_uid and frames[0].series_uid):
        raise InputError(
            "The series does not name its study, itself and its frame of reference, which DICOM results must share or "
            "refer to. Export it again from the archive."
        )
    if frames[0].multiframe and len({frame.sop_instance_uid for frame in frames}) > 1:
        raise InputError(
            "The series is stored as several multi-frame images, and a DICOM segmentation can refer to one only. "
            "Export it as single images."
        )


def _headers(frames: Sequence[FrameHeader], spacing_mm: float) -> list[Dataset]:
    """Returns the completed headers of the files, each once."""
    with quiet_pydicom():
        first = {frame.path: frame for frame in reversed(frames)}
        paths = dict.fromkeys(frame.path for frame in frames)
        return [
            complete(open_dicom(path, stop_before_pixels=True, force=True), first[path], spacing_mm) for path in paths
        ]
