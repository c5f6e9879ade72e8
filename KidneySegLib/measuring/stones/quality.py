"""Checks of stones: flags, never a diagnosis."""

from __future__ import annotations

from collections.abc import Sequence

from KidneySegLib.findings.stone import StoneFinding
from KidneySegLib.flags import Flag, Severity
from KidneySegLib.measuring.lesions.quality import POLES


def check_stones(stones: Sequence[StoneFinding]) -> list[Flag]:
    """Tells which stones the image cuts."""
    flags = []
    for stone in stones:
        if stone.cut_at:
            where = f"{stone.side.value} kidney, {POLES[stone.pole]}" if stone.pole else f"{stone.side.value} side"
            ends = " and ".join(f"the {end}" for end in stone.cut_at)
            message = (
                f"Stone {stone.id} ({where}) reaches the end of the image towards {ends}: it may be larger than "
                "measured."
            )
            flags.append(Flag("stone_cut", Severity.WARNING, message))
    return flags
