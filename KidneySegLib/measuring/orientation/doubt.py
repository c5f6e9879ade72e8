"""A contradiction between anatomy and header, told: as a flag, and in every side of the findings."""

from dataclasses import replace

from KidneySegLib.findings import Findings
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.orientation.verdict import Orientation, Verdict


def orientation_flags(orientation: Orientation) -> list[Flag]:
    """Returns the flag of a contradiction; none where anatomy and header agree or nothing can be told."""
    if orientation.verdict is not Verdict.CONTRADICTS:
        return []
    if orientation.only_mirrored:
        return [Flag.of("liver_on_left")]
    signs = []
    if orientation.spine:
        signs.append("spine in front" if orientation.spine == "front" else f"spine on the {orientation.spine}")
    if orientation.liver:
        signs.append("liver on the left")
    if orientation.head:
        signs.append("head at the feet")
    return [Flag.of("orientation_contradicted", signs=signs)]


def without_claimed_sides(findings: Findings) -> Findings:
    """Returns findings whose sides are the header's only, where one of their flags says that these are in doubt."""
    if findings.sides_certain:
        return findings
    return replace(
        findings,
        kidneys=tuple(replace(kidney, side_certain=False) for kidney in findings.kidneys),
        lesions=tuple(replace(lesion, side_certain=False) for lesion in findings.lesions),
        candidates=tuple(replace(lesion, side_certain=False) for lesion in findings.candidates),
        stones=tuple(replace(stone, side_certain=False) for stone in findings.stones),
        stone_burden=tuple(replace(burden, side_certain=False) for burden in findings.stone_burden),
        flags=tuple(flag.by_header() for flag in findings.flags),
    )
