"""What a command works on."""

from __future__ import annotations

from enum import StrEnum


class Task(StrEnum):
    """A volume with all that the engine finds, or one axial slice in 2D."""

    CT = "ct"
    CT_SLICE = "ct-slice"


class SegmentTask(StrEnum):
    """The same, or left to the input: one slice is taken for a slice, anything else for a volume."""

    AUTO = "auto"
    CT = "ct"
    CT_SLICE = "ct-slice"
