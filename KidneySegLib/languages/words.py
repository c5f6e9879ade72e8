"""Words of sides, structures, places and phases, as reports and flags write them; keys are the values of findings."""

from KidneySegLib.languages.language import N_

# by the words of ``findings.side_words``
KIDNEY_OF = {
    "right": N_("Right kidney"),
    "left": N_("Left kidney"),
    "header-right": N_("Header-right kidney"),
    "header-left": N_("Header-left kidney"),
    "": N_("Kidney"),  # an ultrasound image that does not tell the side
}
SIDES = {
    "right": N_("right"),
    "left": N_("left"),
    "header-right": N_("header-right"),
    "header-left": N_("header-left"),
}
STRUCTURES = {"kidney": N_("Kidney"), "mass": N_("Solid mass"), "cyst": N_("Cyst"), "stone": N_("Stone")}
STRUCTURES_IN_TEXT = {"mass": N_("solid mass"), "cyst": N_("cyst")}
POLES = {"upper": N_("upper pole"), "inter": N_("between the poles"), "lower": N_("lower pole")}
ENDS = {
    "feet": N_("feet"),
    "head": N_("head"),
    "front": N_("front"),
    "back": N_("back"),
    "right side": N_("right side"),
    "left side": N_("left side"),
    "header-right side": N_("header-right side"),
    "header-left side": N_("header-left side"),
}
# Ends of a picture that has no place in the patient.
PICTURE_ENDS = {
    "picture-left": N_("the picture's left"),
    "picture-right": N_("the picture's right"),
    "top": N_("the picture's top"),
    "bottom": N_("the picture's bottom"),
    "sector": N_("the border of the sector"),
}
PHASES = {
    "non-contrast": N_("without contrast medium"),
    "corticomedullary": N_("corticomedullary"),
    "nephrographic": N_("nephrographic"),
    "excretory": N_("excretory"),
    "unknown": N_("not certain"),
}
