"""Flags on the measures of kidneys and lesions, and on what the contrast phase allows to know."""

from KidneySegLib.flags.kinds import Sentence, counted, info, warning
from KidneySegLib.flags.values import number, side_word, word
from KidneySegLib.languages.words import PHASES, STRUCTURES_IN_TEXT

MEASURING = {
    "no_kidney": warning("No kidney was found in this image."),
    "one_kidney": warning(
        "Only the {side} kidney was found. The {other} one may be absent, outside the image, elsewhere in the body, "
        "or missed: please look.",
        other=side_word(),
    ),
    "kidney_cut": warning(
        "The {side} kidney reaches the end of the image towards {ends}: part of it may be missing. Its volume is then "
        "too small, and its length is not known: {seen_mm} mm are seen along the body.",
        "The {side} kidney reaches the end of the image towards {ends}: part of it may be missing. Its volume is then "
        "too small, and its length is not known.",
    ),
    "unusual_volume": warning(
        Sentence(
            "The {side} kidney has an unusual volume of {volume} (usual: {smallest_ml} to {largest_ml} ml). "
            "Hydronephrosis, many cysts or a mass can be the cause, or other tissue was included: please look.",
            {"size": "large"},
        ),
        Sentence(
            "The {side} kidney has an unusual volume of {volume} (usual: {smallest_ml} to {largest_ml} ml). It may be "
            "atrophic, or part of it was missed: please look.",
            {"size": "small"},
        ),
    ),
    "asymmetry": warning(
        "The {larger} kidney is {ratio} times as large as the {smaller} one ({larger_volume}; {smaller_volume}).",
        larger=side_word(),
        smaller=side_word(),
        ratio=number("ratio of the volumes", 1),
    ),
    "lesion_cut": warning("{lesion} reaches the end of the image towards {ends}: it may be larger than measured."),
    "stone_cut": warning("{stone} reaches the end of the image towards {ends}: it may be larger than measured."),
    "low_confidence_lesion": warning(
        "{lesion} is uncertain (confidence {confidence}): it may be something else. Check it."
    ),
    "lesion_candidates": warning(
        counted(
            "{count} candidate is too doubtful to be counted as a finding: {lesion}, {length_mm} mm long, confidence "
            "{confidence}. Please look.",
            "{count} candidates are too doubtful to be counted as findings; the largest: {lesion}, {length_mm} mm "
            "long, confidence {confidence}. Please look.",
        ),
        count=number("candidates"),
    ),
    "lesion_without_kidney": warning(
        "{lesion} lies on a side where no kidney was found. Its side follows from the body's midline; its place in "
        "the kidney is not known."
    ),
    "lesion_in_doubtful_kidney": warning(
        "{lesion} lies in what may not be a kidney: it may be part of another organ, such as the liver. Check both "
        "before it is reported."
    ),
    "poles_of_a_part": info(
        "The {side} kidney is not whole in the image: upper, inter and lower pole of its lesions refer to the part "
        "that is there."
    ),
    "dense_cyst": warning(
        "{lesion} has {median_hu} HU (median): more than {limit_hu} HU is not a simple cyst by density. Characterise "
        "it."
    ),
    "specks": info(
        counted(
            "{count} group of voxels labelled {structure} is smaller than {limit_mm} mm and not listed as a finding.",
            "{count} groups of voxels labelled {structure} are smaller than {limit_mm} mm and not listed as a finding.",
        ),
        count=number("groups of voxels"),
        structure=word(STRUCTURES_IN_TEXT),
    ),
    "phase_unknown": info(
        "The contrast phase could not be determined. Without it, enhancement of lesions cannot be judged from this "
        "image, and excreted contrast medium could hide stones."
    ),
    "masses_without_contrast": info(
        "This is {probably}a scan without contrast medium. Solid masses as dense as the kidney do not stand out and "
        "may be missed, and whether a lesion enhances cannot be known."
    ),
    "stones_with_contrast": warning(
        Sentence(
            "This is {probably}a scan with contrast medium in the collecting system (excretory phase). Stones beside "
            "or inside it cannot be seen, and the densities of stones are not those of a scan without contrast "
            "medium.",
            {"phase": "excretory"},
        ),
        "This is {probably}a scan with contrast medium ({phase} phase). Small stones may be hidden, and the densities "
        "of stones are not those of a scan without contrast medium.",
        phase=word(PHASES),
    ),
    "masses_in_early_phase": info(
        "This is {probably}the corticomedullary phase. Small masses in the medulla may be missed; the nephrographic "
        "phase shows them better."
    ),
}
