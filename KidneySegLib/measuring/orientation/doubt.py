"""A contradiction between anatomy and header, told: as a flag, and in every side of the findings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from KidneySegLib.findings import SIDES_IN_DOUBT, Findings
from KidneySegLib.flags import Flag, Severity
from KidneySegLib.measuring.orientation.verdict import Orientation, Verdict

CONTRADICTED, MIRRORED = SIDES_IN_DOUBT
# Sides in the sentences of other flags: "the right kidney", "the left one", "on the right side".
_SIDE = re.compile(r"(?<!-)\b(right|left)(?= kidney\b| one\b| side\b)")


def orientation_flags(orientation: Orientation) -> list[Flag]:
    """Returns the flag of a contradiction; none where anatomy and header agree or nothing can be told."""
    if orientation.verdict is not Verdict.CONTRADICTS:
        return []
    if orientation.only_mirrored:
        message = (
            "The liver seems to lie on the patient's left: the image is mirrored, or the organs are (situs inversus). "
            "Sides are given as the header has them (header-right, header-left): check them."
        )
        return [Flag(MIRRORED, Severity.WARNING, message)]
    signs = []
    if orientation.spine:
        where = "in front" if orientation.spine == "front" else f"on the {orientation.spine}"
        signs.append(f"the spine lies {where}")
    if orientation.liver:
        signs.append("the liver lies on the left")
    if orientation.head:
        signs.append("the head lies towards the feet")
    what = " and ".join(signs)
    message = (
        f"The anatomy contradicts the image's header: by the header {what}. The patient's position in the header is "
        "wrong (prone called supine, feet first called head first), or the image was turned or mirrored. Right and "
        "left are the header's only (header-right, header-left), and outlines can be wrong. Correct the header and "
        "run again."
    )
    return [Flag(CONTRADICTED, Severity.ERROR, message)]


def without_claimed_sides(findings: Findings) -> Findings:
    """Returns findings whose sides are the header's only, where one of their flags says that these are in doubt."""
    if findings.sides_certain:
        return findings
    return replace(
        findings,
        kidneys=tuple(replace(kidney, side_certain=False) for kidney in findings.kidneys),
        lesions=tuple(replace(lesion, side_certain=False) for lesion in findings.lesions),
        stones=tuple(replace(stone, side_certain=False) for stone in findings.stones),
        stone_burden=tuple(replace(burden, side_certain=False) for burden in findings.stone_burden),
        flags=tuple(_reworded(findings.flags)),
    )


def _reworded(flags: Sequence[Flag]) -> list[Flag]:
    return [
        flag if flag.code in SIDES_IN_DOUBT else replace(flag, message=_SIDE.sub(r"header-\1", flag.message))
        for flag in flags
    ]
