"""Flags where header or labels and the anatomy do not agree."""

from KidneySegLib.flags.kinds import Sentence, error, warning
from KidneySegLib.flags.values import all_of
from KidneySegLib.languages.language import N_

_SIGNS = {
    "spine in front": N_("the spine lies in front"),
    "spine on the right": N_("the spine lies on the right"),
    "spine on the left": N_("the spine lies on the left"),
    "liver on the left": N_("the liver lies on the left"),
    "head at the feet": N_("the head lies towards the feet"),
}

ORIENTATION = {
    "orientation_contradicted": error(
        "The anatomy contradicts the image's header: by the header {signs}. The patient's position in the header is "
        "wrong (prone called supine, feet first called head first), or the image was turned or mirrored. Right and "
        "left are the header's only (header-right, header-left), and outlines can be wrong. Correct the header and "
        "run again.",
        signs=all_of(_SIGNS),
    ),
    "liver_on_left": warning(
        "The liver seems to lie on the patient's left: the image is mirrored, or the organs are (situs inversus). "
        "Sides are given as the header has them (header-right, header-left): check them."
    ),
    "drawn_on_other_side": warning(
        Sentence(
            "The {side} kidney was drawn on the other side of the body: its label may be wrong, or the kidney lies "
            "there. Check the labels (1 right kidney, 2 left kidney).",
            {"drawn_on": "other side"},
        ),
        Sentence(
            "The {side} kidney was drawn on both sides of the body: its label may be wrong, or the kidney lies there. "
            "Check the labels (1 right kidney, 2 left kidney).",
            {"drawn_on": "both sides"},
        ),
    ),
    "lesion_like_kidney": warning(
        "{lesion} has the size and shape of a kidney, and no kidney is outlined on its side: its label may mean a "
        "kidney. Check it."
    ),
    "foreign_numbering": warning(
        Sentence(
            "The label numbers look like TotalSegmentator's (2 right kidney, 3 left kidney). If they are, measure "
            "with --numbering totalsegmentator.",
            {"numbering": "totalsegmentator"},
        ),
        Sentence(
            "The label numbers look like those of KiTS (1 both kidneys, 2 tumour, 3 cyst). If they are, measure with "
            "--numbering kits.",
            {"numbering": "kits"},
        ),
    ),
}
