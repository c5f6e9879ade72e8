"""Words of the findings as the report writes them; keys are the values of the findings."""

from __future__ import annotations

from KidneySegLib.findings import LesionFinding, StoneFinding, side_word
from KidneySegLib.reporting.messages.translations import N_, Language

# by the words of ``findings.side_words``
KIDNEY_OF = {
    "right": N_("Right kidney"),
    "left": N_("Left kidney"),
    "header-right": N_("Header-right kidney"),
    "header-left": N_("Header-left kidney"),
}
SIDES = {
    "right": N_("right"),
    "left": N_("left"),
    "header-right": N_("header-right"),
    "header-left": N_("header-left"),
}
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
# What messages say of series: kinds, parts of the body, phases, and why one was read.
SERIES_WORDS = (
    N_("1 image"),
    N_("single slice"),
    N_("localiser"),
    N_("screen capture or dose report"),
    N_("computed map, not Hounsfield units"),
    N_("projection or other 3D view"),
    N_("images without a position"),
    N_("no image"),
    N_("unknown modality"),
    N_("unknown objects"),
    N_("monoenergetic images"),
    N_("averaged slabs"),
    N_("reformatted images"),
    N_("virtual non-contrast images"),
    N_("images with a material removed"),
    N_("intensity projection or other 3D view"),
    N_("material map"),
    N_("perfusion map"),
    N_("difference images"),
    N_("neck"),
    N_("chest"),
    N_("abdomen"),
    N_("pelvis"),
    N_("legs"),
    N_("arms"),
    N_("spine"),
    N_("trunk"),
    N_("non-contrast"),
    N_("arterial phase"),
    N_("portal venous phase"),
    N_("nephrographic phase"),
    N_("excretory phase"),
    N_("delayed phase"),
    N_("first scan"),
    N_("not known"),
    N_("it is an original reconstruction"),
    N_("its slices are axial"),
    N_("its headers name the part of the body with the kidneys"),
    N_("it covers more of the body"),
    N_("its energy is closest to that of the usual scan"),
    N_("its kernel is one for soft tissue"),
    N_("its slices are thinner"),
    N_("its contrast phase shows kidneys best"),
    N_("it has more images"),
    N_("it has the lowest number of several alike"),
    N_("it is the first of several alike"),
)


def place_of(finding: LesionFinding | StoneFinding, language: Language) -> str:
    """Returns side and place of a lesion or stone in words, such as ``right, upper pole``."""
    words = [SIDES[side_word(finding)]]
    if isinstance(finding, StoneFinding):
        words.append(LOCATIONS[finding.location])
    if finding.pole:
        words.append(POLES[finding.pole])
    return ", ".join(language.text(word) for word in words)
