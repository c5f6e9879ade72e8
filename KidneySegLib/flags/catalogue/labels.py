"""Flags on label maps that were drawn or corrected elsewhere."""

from KidneySegLib.flags.kinds import Sentence, info, warning
from KidneySegLib.flags.values import number, proper_names, side_word, word
from KidneySegLib.languages.language import N_
from KidneySegLib.languages.words import KIDNEY_OF, STRUCTURES, STRUCTURES_IN_TEXT

_KIDNEYS = {f"kidney_{side}": KIDNEY_OF[side] for side in ("right", "left")}
_CLICKED = _KIDNEYS | {name: STRUCTURES[name] for name in ("mass", "cyst", "stone")}

LABELS = {
    "overlapping_segments": info(
        "Segments overlapped in {voxels} voxels. Each was counted once: stone before cyst, cyst before solid mass, "
        "solid mass before kidney.",
        voxels=number("voxels"),
    ),
    "overlapping_kidneys": warning("The right and the left kidney overlapped in the label map: check both outlines."),
    "vertebrae_numbered_as_cysts": warning(
        "Labels 23 and 24 are as dense as bone: they were taken for vertebrae, as TotalSegmentator 1 numbers them."
    ),
    "sides_from_image": warning(
        "The label map does not tell the right kidney from the left one: the middle of the body in the image "
        "decided. Check the sides."
    ),
    "corrected_by_reader": info(
        "{kidney}: corrected by the reader (Dice with the network's version {dice}).",
        "{structure}: corrected by the reader (Dice with the network's version {dice}).",
        Sentence("{kidney}: drawn by the reader; the network drew none.", {"how": "new"}),
        Sentence("{structure}: drawn by the reader; the network drew none.", {"how": "new"}),
        Sentence("{kidney}: removed by the reader.", {"how": "removed"}),
        Sentence("{structure}: removed by the reader.", {"how": "removed"}),
        Sentence("{kidney}: outlined by the network, and changed into a {became} by the reader.", {"how": "remade"}),
        kidney=side_word(KIDNEY_OF),
        structure=word(STRUCTURES),
        became=word(STRUCTURES_IN_TEXT | {"stone": N_("stone")}),
        dice=number("0 to 1", 3),
    ),
    "click_changed_nothing": info(
        Sentence("Click {number} ({structure}) changed nothing: the place is in air.", {"why": "air"}),
        Sentence("Click {number} ({structure}) changed nothing: the label map already shows this.", {"why": "same"}),
        number=number("from 1, in the order of the call"),
        structure=word(_CLICKED),
    ),
    "rejected_by_reader": info(
        "Rejected by the reader and not counted: {findings}.",
        findings=proper_names("identifiers of lesions and stones"),
    ),
    "kidney_became_several": warning(
        "What was the {side} kidney is several findings now ({findings}), because it is drawn in pieces: no volume and "
        "no diameter is that of the whole. If it is one lesion, fill the gaps between them in Segment Editor.",
        findings=proper_names("identifiers of lesions and stones"),
    ),
}
