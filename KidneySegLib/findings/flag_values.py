"""Findings as flags name them."""

from KidneySegLib.findings.lesion import LesionFinding
from KidneySegLib.findings.stone import StoneFinding


def name_of(finding: LesionFinding | StoneFinding) -> dict[str, str | None]:
    """Returns the value of a lesion or stone (``flags.values.FINDING``)."""
    structure = finding.structure if isinstance(finding, LesionFinding) else "stone"
    return {"structure": structure, "id": finding.id, "side": finding.side.value, "pole": finding.pole}
