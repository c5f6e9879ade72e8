"""Checks of stones: flags, never a diagnosis."""

from __future__ import annotations

from collections.abc import Sequence

from KidneySegLib.findings import StoneFinding
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.flag_values import name_of


def check_stones(stones: Sequence[StoneFinding]) -> list[Flag]:
    """Tells which stones the image cuts."""
    return [Flag.of("stone_cut", stone=name_of(stone), ends=stone.cut_at) for stone in stones if stone.cut_at]
