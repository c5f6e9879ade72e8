"""Flags on what the networks and rules outlined, left out, or could not look for."""

from KidneySegLib.flags.kinds import Sentence, counted, info, warning
from KidneySegLib.flags.values import SIZE, number, proper_name, word
from KidneySegLib.languages.language import N_

_NO_KIDNEY = {
    "small": N_("it is too small"),
    "skull": N_("it lies inside a skull"),
    "air": N_("it lies in air or in a lung"),
    "no body": N_("there is no patient's body around it"),
    "chest": N_("it is uncertain and lies in the chest"),
}

SEGMENTATION = {
    "memory_guard": warning(
        "Memory was short: the {network} network ran in pieces of {smaller} instead of {usual} voxels. The outline "
        "may be a little less exact.",
        network=proper_name("name of the stage"),
        smaller=SIZE,
        usual=SIZE,
    ),
    "kidney_doubtful": warning(
        "What was outlined as the {side} kidney is doubtful: it may be another organ, a diseased kidney, or only a "
        "part of one. Check it, and what was found in it, before the numbers are used."
    ),
    "low_confidence": warning(
        "The outline of the {side} kidney is uncertain: check it slice by slice.",
        "The outline of a kidney is uncertain in this slice: check it.",
    ),
    "kidney_not_confirmed": warning(
        "Something like a kidney was located on the {side} side, but {reason}: it was left out. Check that side.",
        reason=word(_NO_KIDNEY),
    ),
    "fused_kidney": warning(
        "One kidney-like organ crosses the midline (horseshoe or fused kidney?). It was divided at the midline into "
        "right and left; check the border."
    ),
    "kidney_position": warning(
        "One kidney lies much lower than the other (pelvic kidney, transplant, or a wrong structure): check both."
    ),
    "further_kidney": warning(
        "A further kidney-like organ of about {volume_ml} ml lies on the {side} side (transplant, second kidney, or "
        "another organ). It is not part of the result: check it."
    ),
    "both_on_one_side": warning(
        "Both regions lie on one side of the spine and were taken for two parts of one kidney. One of them may be "
        "another organ: check it."
    ),
    "regions_left_out": warning(
        counted(
            "{count} region of {area_mm2} mm² that may be kidney was left out. The two largest regions of at least "
            "{least_mm2} mm² are kept. Please look.",
            "{count} regions that may be kidney were left out, the largest of {area_mm2} mm². The two largest "
            "regions of at least {least_mm2} mm² are kept. Please look.",
        ),
        count=number("regions"),
    ),
    "lesions_left_out": warning(
        counted(
            "{count} region that may be a mass or cyst was not counted ({side} kidney, slice position {position_mm} "
            "mm, {length_mm} mm long, confidence {confidence}). Please look.",
            "{count} regions that may be masses or cysts were not counted (the largest: {side} kidney, slice position "
            "{position_mm} mm, {length_mm} mm long, confidence {confidence}). Please look.",
        ),
        count=number("regions"),
        position_mm=number("mm, towards the head (LPS)"),
    ),
    "lesions_not_searched": warning(
        "This model does not segment solid masses and cysts: none were looked for. They may be part of the "
        "outline or be left out of it."
    ),
    "stones_not_searched": warning(
        Sentence(
            "Contrast medium was excreted into the collecting system and hides stones: none were looked for. Stones "
            "are read on a scan without contrast medium.",
            {"reason": "excretory phase"},
        ),
        Sentence(
            "The scan seems to be enhanced by contrast medium, and its values end at a display window below the "
            "density by which stones could be told from it: none were looked for.",
            {"reason": "display window"},
        ),
    ),
    "stones_may_be_hidden": warning("The contrast phase is not certain, so only very dense stones were looked for."),
    "dense_collecting_system": warning(
        "There is something dense in the collecting system of a scan with contrast medium: it can be excreted "
        "contrast medium or stones, and was not labelled. Please look."
    ),
    "ureteral_stent": warning(
        "There is something dense, long and thin: it may be a stent, a nephrostomy tube, or a row of stones. It was "
        "not taken for a stone; stones that touch it can be hidden. Please look."
    ),
    "calcified_vessel": info(
        "Thin dense lines beside the collecting system were not taken for stones: they look like calcium in the wall "
        "of an artery."
    ),
    "calcified_lesion": warning(
        "Something dense in or at a mass or cyst was not taken for a stone: it can be calcium in its wall, or a stone "
        "in a dilated calyx that was taken for a cyst. Please look."
    ),
    "dense_beside_ureter": warning(
        "Something dense where the ureter runs was not taken for a stone, because of its size or shape or of what "
        "lies around it: it may be calcium in a vessel or lymph node, contrast medium in the bowel, or a stone. "
        "Please look."
    ),
    "dense_and_large": warning(
        "Something as dense as a stone is larger than {limit_ml} ml and was not taken for one: it may be contrast "
        "medium, a calcified kidney, or a very large stone. Please look."
    ),
    "dense_as_metal": warning(
        "Something that was outlined as a stone is as dense as metal: it may be a clip, a coil or a tube. Please look."
    ),
}
