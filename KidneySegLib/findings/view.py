"""A kidney in one plane, as an ultrasound image shows it, as a finding; and the volume that two planes give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from KidneySegLib.findings.encoding import build, plain
from KidneySegLib.structures import Side

Pixel = tuple[float, float]


@dataclass(frozen=True)
class ViewMeasures:
    """What is measured on one outline in one plane.

    Each size stands in one unit: in millimetres where the pixel size is known, else in pixels; the other is NaN.
    Places are ``(column, row)`` of the image, from 0; whole numbers are centres of pixels.

    Attributes:
        voxels: number of pixels that belong to the kidney, of a loop in all frames.
        outline_pixels: number of pixels in the frame that is measured.
        length_mm: longest diameter; NaN where the image cuts the kidney.
        width_mm: longest diameter at right angles to it.
        area_mm2: area of the outline.
        length_px: as ``length_mm``, in pixels.
        width_px: as ``width_mm``, in pixels.
        length_at_least_mm: longest diameter of what is seen of a kidney that the image cuts.
        length_at_least_px: the same in pixels.
        length_start_px: one end of the longest diameter.
        length_end_px: its other end.
        width_start_px: one end of the diameter at right angles.
        width_end_px: its other end.
        grey_mean: mean grey value, 0 to 255.
        grey_sd: standard deviation.
    """

    voxels: int
    outline_pixels: int
    length_mm: float
    width_mm: float
    area_mm2: float
    length_px: float
    width_px: float
    length_at_least_mm: float
    length_at_least_px: float
    length_start_px: Pixel
    length_end_px: Pixel
    width_start_px: Pixel
    width_end_px: Pixel
    grey_mean: float
    grey_sd: float

    @property
    def volume_ml(self) -> float:
        """NaN: one plane has no volume."""
        return math.nan

    @property
    def longest_mm(self) -> float:
        """Longest diameter of what is seen, NaN where the pixel size is not known."""
        return self.length_at_least_mm if math.isnan(self.length_mm) else self.length_mm

    @property
    def longest_px(self) -> float:
        """Longest diameter of what is seen in pixels, NaN where the pixel size is known."""
        return self.length_at_least_px if math.isnan(self.length_px) else self.length_px


@dataclass(frozen=True)
class FrameOutline:
    """The outline in one frame of a loop.

    Attributes:
        frame: number of the frame in the file, from 1.
        outline_pixels: number of pixels.
        longest_mm: longest diameter; NaN where the pixel size is not known.
        longest_px: the same in pixels, where it is not.
        border_contrast: how clearly the border is seen; see ``measuring.ultrasound.loop``.
    """

    frame: int
    outline_pixels: int
    longest_mm: float
    longest_px: float
    border_contrast: float


@dataclass(frozen=True)
class KidneyView:
    """A kidney in one plane.

    Attributes:
        side: the patient's side; None where the image does not tell it.
        measures: of its outline.
        frame: number of the frame that is measured, from 1.
        slice: index of that frame along k of the exam, from 0.
        cut_at: where the image ends within it: ``picture-left``, ``picture-right``, ``top``, ``bottom``, or ``sector``.
        frames: the outline in every frame of a loop where there is one; empty for a single image.
    """

    side: Side | None
    measures: ViewMeasures
    frame: int = 1
    slice: int = 0
    cut_at: tuple[str, ...] = ()
    frames: tuple[FrameOutline, ...] = ()

    @property
    def structure(self) -> str:
        """Key of its structure."""
        return f"kidney_{self.side}" if self.side else "kidney"

    @property
    def side_certain(self) -> bool:
        """Whether a side is claimed."""
        return self.side is not None

    def to_dict(self) -> dict[str, Any]:
        """Returns the view as plain JSON values, measures on the same level."""
        return {
            "structure": self.structure,
            "side": self.side.value if self.side else None,
            "frame": self.frame,
            "slice": self.slice,
            "cut_at": list(self.cut_at),
            **plain(asdict(self.measures)),
            "frames": [plain(asdict(frame)) for frame in self.frames],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> KidneyView:
        """Takes what ``to_dict`` returned."""
        return cls(
            Side(values["side"]) if values["side"] else None,
            build(ViewMeasures, values),
            int(values["frame"]),
            int(values["slice"]),
            tuple(values["cut_at"]),
            tuple(build(FrameOutline, frame) for frame in values["frames"]),
        )


@dataclass(frozen=True)
class Ellipsoid:
    """The volume of a kidney as an ellipsoid, from a longitudinal view and a transverse one.

    Attributes:
        volume_ml: length × width × depth × π/6.
        length_mm: longest diameter in the longitudinal view.
        width_mm: longest diameter in the transverse view.
        depth_mm: the diameter at right angles to it there.
        transverse: what the transverse view was made of: UIDs as in ``provenance.input.source``; empty for a picture.
    """

    volume_ml: float
    length_mm: float
    width_mm: float
    depth_mm: float
    transverse: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Returns it as plain JSON values."""
        return plain({field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Ellipsoid:
        """Takes what ``to_dict`` returned."""
        return build(cls, values)
