"""Words of the findings as the report writes them; keys are the values of the findings."""

from __future__ import annotations

from KidneySegLib.findings import LesionFinding, StoneFinding
from KidneySegLib.reporting.translations import N_, Language
from KidneySegLib.structures import Side

KIDNEY_OF = {Side.RIGHT: N_("Right kidney"), Side.LEFT: N_("Left kidney")}
SIDES = {Side.RIGHT: N_("right"), Side.LEFT: N_("left")}
STRUCTURES = {"mass": N_("Solid mass"), "cyst": N_("Cyst"), "stone": N_("Stone")}
STRUCTURES_IN_TEXT = {"mass": N_("solid mass"), "cyst": N_("cyst")}
POLES = {"upper": N_("upper pole"), "inter": N_("between the poles"), "lower": N_("lower pole")}
LOCATIONS = {"kidney": N_("kidney"), "pelvis": N_("renal pelvis"), "ureter": N_("ureter")}
ENDS = {
    "feet": N_("feet"),
    "head": N_("head"),
    "front": N_("front"),
    "back": N_("back"),
    "right side": N_("right side"),
    "left side": N_("left side"),
}
PHASES = {
    "non-contrast": N_("without contrast medium"),
    "corticomedullary": N_("corticomedullary"),
    "nephrographic": N_("nephrographic"),
    "excretory": N_("excretory"),
    "unknown": N_("not certain"),
}
EVIDENCE = {
    "parenchyma_hu": N_("parenchyma"),
    "cortex_hu": N_("cortex"),
    "medulla_hu": N_("medulla"),
    "collecting_system_hu": N_("collecting system"),
}


def place_of(finding: LesionFinding | StoneFinding, language: Language) -> str:
    """Returns side and place of a lesion or stone in words, such as ``right, upper pole``."""
    words = [SIDES[finding.side]]
    if isinstance(finding, StoneFinding):
        words.append(LOCATIONS[finding.location])
    if finding.pole:
        words.append(POLES[finding.pole])
    return ", ".join(language.text(word) for word in words)
