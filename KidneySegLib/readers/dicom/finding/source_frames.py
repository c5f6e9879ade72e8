"""The images that a result was made from, found again by the identifiers that its provenance holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from KidneySegLib.errors import InputError
from KidneySegLib.readers.dicom.images.frames import FrameHeader


def frame_key(frame: FrameHeader) -> tuple[str, int]:
    """Returns SOPInstanceUID and 1-based number of the frame, 0 in a single-frame image."""
    return frame.sop_instance_uid, frame.frame + 1 if frame.multiframe else 0


def slice_keys(source: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Returns the key of the image behind each slice; its UID is "" where the slice was interpolated.

    Args:
        source: what ``Source.to_dict`` gave.

    Raises:
        InputError: there are no identifiers.
    """
    uids = tuple(source.get("sop_instance_uids", ()))
    if not any(uids):
        raise InputError(
            "The result was not made from a DICOM series with identifiers, so its images cannot be found again. "
            "Segment the original DICOM series."
        )
    numbers = tuple(source.get("frame_numbers", ())) or (0,) * len(uids)
    return list(zip(uids, numbers, strict=True))


def source_frames(headers: Sequence[FrameHeader], source: Mapping[str, Any]) -> tuple[FrameHeader, ...]:
    """Returns the images that a result was made from, each once, in the order of its slices.

    Args:
        headers: of the images that are there, as ``scan`` gives them.
        source: what ``Source.to_dict`` gave.

    Raises:
        InputError: the result was not made from DICOM, or its images are not there, or not all of them.
    """
    wanted = [key for key in slice_keys(source) if key[0]]
    found = {frame_key(frame): frame for frame in headers}
    missing = sum(key not in found for key in wanted)
    if missing == 0:
        return tuple(found[key] for key in dict.fromkeys(wanted))
    if not found:
        raise InputError("No DICOM image was found. Give the folder of the series that was segmented.")
    if not any(frame.series_uid == source["series_uid"] for frame in headers):
        raise InputError("The images are of another series than the result. Give the series that was segmented.")
    raise InputError(
        "{missing} of the {count} images of the result are missing from the series. Give the complete "
        "series that was segmented.",
        missing=missing,
        count=len(wanted),
    )
