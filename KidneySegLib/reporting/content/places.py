"""Where a finding lies, and what the contrast phase was told by, in words; keys are the values of the findings."""

from KidneySegLib.findings import LesionFinding, StoneFinding, side_word
from KidneySegLib.languages.language import N_, Language
from KidneySegLib.languages.words import POLES, SIDES

LOCATIONS = {"kidney": N_("kidney"), "pelvis": N_("renal pelvis"), "ureter": N_("ureter")}
EVIDENCE = {
    "parenchyma_hu": N_("parenchyma"),
    "cortex_hu": N_("cortex"),
    "medulla_hu": N_("medulla"),
    "collecting_system_hu": N_("collecting system"),
}


def place_of(finding: LesionFinding | StoneFinding, language: Language) -> str:
    """Returns side and place of a lesion or stone in words, such as ``right, upper pole``."""
    words = [SIDES[side_word(finding)]]
    if isinstance(finding, StoneFinding):
        words.append(LOCATIONS[finding.location])
    if finding.pole:
        words.append(POLES[finding.pole])
    return ", ".join(language.text(word) for word in words)
