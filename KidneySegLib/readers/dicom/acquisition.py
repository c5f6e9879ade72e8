"""What reading an image gives: the volume, remarks on it, and where it came from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from KidneySegLib.flags import Flag
from KidneySegLib.volume import Volume


@dataclass(frozen=True)
class Source:
    """Where a volume came from, for the provenance and for DICOM results that refer to it. Holds no patient data.

    Attributes:
        modality: such as CT; "" for an image file, which does not say.
        study_uid, series_uid, frame_of_reference_uid, sop_class_uid: as in the headers, "" where absent.
        sop_instance_uids: the image behind each slice, in the order of k; "" for a slice that was interpolated. Where
            the volume was resampled, all images read, ascending along k, so not one per slice.
        frame_numbers: 1-based frame of each entry of ``sop_instance_uids``; empty for single-frame images.
        resampled: whether the slices no longer are those of the images (uneven spacing or gantry tilt).
        manufacturer, model, kernel, body_part: text of the headers, "" where absent.
        kvp: tube voltage in kV.
        contrast: whether an intravenous contrast agent was given; None where unknown.
        slice_thickness: in mm.
    """

    modality: str = ""
    study_uid: str = ""
    series_uid: str = ""
    frame_of_reference_uid: str = ""
    sop_class_uid: str = ""
    sop_instance_uids: tuple[str, ...] = ()
    frame_numbers: tuple[int, ...] = ()
    resampled: bool = False
    manufacturer: str = ""
    model: str = ""
    kernel: str = ""
    body_part: str = ""
    kvp: float | None = None
    contrast: bool | None = None
    slice_thickness: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


@dataclass(frozen=True)
class Acquisition:
    """A volume that was read.

    Attributes:
        volume: int16 Hounsfield units, array ``(k, j, i)``.
        flags: what was repaired, assumed or left out.
        source: where it came from.
    """

    volume: Volume
    flags: list[Flag]
    source: Source
