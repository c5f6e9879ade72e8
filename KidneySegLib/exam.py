"""Exam: an image as the engine works on it, with what is known of how it came about.

The order of the axes is settled here, once: ``volume`` has them in the order of patient left, back and head, whatever
the input had. It is undone once, by the writers, through ``stored`` and ``order``. One slice is a volume with k = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np

from KidneySegLib.flags import Flag
from KidneySegLib.volume import AxisOrder, Volume


class Units(StrEnum):
    """What the values of the voxels mean."""

    HU = "HU"
    ESTIMATED_HU = "estimated HU"
    GREY = "grey"


@dataclass(frozen=True)
class Source:
    """Where a volume came from, for the provenance and for DICOM results that refer to it. Holds no patient data.

    Attributes:
        modality: such as CT; "" for an image file, which does not say.
        study_uid, series_uid, frame_of_reference_uid, sop_class_uid: as in the headers, "" where absent.
        sop_instance_uids: the image behind each slice, in the order of k as stored; "" for a slice that was
            interpolated. Where the volume was resampled, all images read, ascending along k, so not one per slice.
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
class Exam:
    """An image that was read.

    Attributes:
        stored: the image as its files store it, array ``(k, j, i)``; for those who write on its grid.
        flags: what was repaired, assumed or left out.
        source: where it came from.
        kind: ``dicom``, or the format of the file.
        units: what the values mean.
        thickness_known: whether the extent of a slice is known; otherwise the grid has a placeholder of 1 mm along k.
        settings: what the reader was told or assumed, for the provenance; no paths.
        volume: the same image with the axes in canonical order, a view.
        order: from the stored axes to the canonical ones.
    """

    stored: Volume
    flags: Sequence[Flag] = ()
    source: Source = Source()
    kind: str = "dicom"
    units: Units = Units.HU
    thickness_known: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    volume: Volume = field(init=False, repr=False)
    order: AxisOrder = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Settles the order of the axes."""
        order = self.stored.axis_order()
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "volume", self.stored.reordered(order))

    def in_stored_order(self, voxels: np.ndarray) -> np.ndarray:
        """Returns voxels on the grid of ``volume`` in the order in which the image is stored."""
        return np.ascontiguousarray(self.order.invert(voxels))

    def moved(self, offset: int) -> Exam:
        """Returns the exam with ``offset`` added to every value."""
        if offset == 0:
            return self
        voxels = (self.stored.voxels.astype(np.int32) + offset).astype(np.int16)
        return replace(self, stored=self.stored.like(voxels))
