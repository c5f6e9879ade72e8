"""Checks of lesions and of what the contrast phase allows to know: flags, never a diagnosis."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from KidneySegLib.findings import KidneyFinding, LesionFinding, PhaseEstimate
from KidneySegLib.flags import Flag, Severity
from KidneySegLib.geometry.bodies import SPECK_MM
from KidneySegLib.hounsfield import SIMPLE_FLUID, SIMPLE_FLUID_ENHANCED
from KidneySegLib.structures import BY_KEY, Side

# Below this mean probability a lesion's label could as well have been another.
SURE_CONFIDENCE = 0.6

# Smaller cysts hold hardly a voxel that is free of their neighbourhood's density.
MEASURABLE_CYST_MM = 8.0


def check_lesions(
    lesions: Sequence[LesionFinding],
    kidneys: Sequence[KidneyFinding],
    specks: Mapping[str, int],
    phase: PhaseEstimate | None,
    doubtful: Collection[Side] = (),
) -> list[Flag]:
    """Looks at the lesions: completeness, confidence, place, density.

    Args:
        lesions: masses and cysts.
        kidneys: the kidneys that were found.
        specks: number of voxel groups too small to be a lesion, by structure key.
        phase: the contrast phase.
        doubtful: sides whose kidney may be something else.
    """
    sides = {kidney.side for kidney in kidneys}
    flags = []
    for lesion in lesions:
        flags += [*_cut(lesion), *_uncertain(lesion), *_without_kidney(lesion, sides), *_dense(lesion, phase)]
        flags += _in_doubtful_kidney(lesion, doubtful)
    return flags + _poles_of_a_part(lesions, kidneys) + _specks(specks)


def check_phase(phase: PhaseEstimate) -> list[Flag]:
    """Says what the contrast phase does not allow to know."""
    probably = "" if phase.confidence >= 0.8 else "probably "
    if phase.phase == "unknown":
        message = (
            "The contrast phase could not be told. Without it, enhancement of lesions cannot be judged from this "
            "image, and excreted contrast medium could hide stones."
        )
        return [Flag("phase_unknown", Severity.INFO, message)]
    if phase.phase == "non-contrast":
        message = (
            f"This is {probably}a scan without contrast medium. Solid masses as dense as the kidney do not stand out "
            "and may be missed, and whether a lesion enhances cannot be known."
        )
        return [Flag("masses_without_contrast", Severity.INFO, message)]
    name = "contrast medium in the collecting system" if phase.phase == "excretory" else "contrast medium"
    hidden = "Stones beside or inside it cannot be seen" if phase.phase == "excretory" else "Small stones may be hidden"
    flags = [
        Flag(
            "stones_with_contrast",
            Severity.WARNING if phase.phase == "excretory" else Severity.INFO,
            f"This is {probably}a scan with {name} ({phase.phase} phase). {hidden}, and the densities of stones are "
            "not those of a scan without contrast medium.",
        )
    ]
    if phase.phase == "corticomedullary":
        message = (
            f"This is {probably}the corticomedullary phase. Small masses in the medulla may be missed; the "
            "nephrographic phase shows them better."
        )
        flags.append(Flag("masses_in_early_phase", Severity.INFO, message))
    return flags


def _name(lesion: LesionFinding) -> str:
    where = f"{lesion.side.value} kidney" + (f", {POLES[lesion.pole]}" if lesion.pole else "")
    return f"{BY_KEY[lesion.structure].name} {lesion.id} ({where})"


POLES = {"upper": "upper pole", "inter": "between the poles", "lower": "lower pole"}


def _cut(lesion: LesionFinding) -> list[Flag]:
    if not lesion.cut_at:
        return []
    ends = " and ".join(f"the {end}" for end in lesion.cut_at)
    message = f"{_name(lesion)} reaches the end of the image towards {ends}: it may be larger than measured."
    return [Flag("lesion_cut", Severity.WARNING, message)]


def _uncertain(lesion: LesionFinding) -> list[Flag]:
    if lesion.confidence is None or lesion.confidence >= SURE_CONFIDENCE:
        return []
    message = f"{_name(lesion)} is uncertain (confidence {lesion.confidence:.0%}): it may be something else. Check it."
    return [Flag("low_confidence_lesion", Severity.WARNING, message)]


def _without_kidney(lesion: LesionFinding, found: set[Side]) -> list[Flag]:
    if lesion.side in found:
        return []
    message = (
        f"{_name(lesion)} lies on a side where no kidney was found. Its side follows from the body's midline; its "
        "place in the kidney is not known."
    )
    return [Flag("lesion_without_kidney", Severity.WARNING, message)]


def _in_doubtful_kidney(lesion: LesionFinding, doubtful: Collection[Side]) -> list[Flag]:
    if lesion.side not in doubtful:
        return []
    message = (
        f"{_name(lesion)} lies in what may be no kidney: it may be a part of another organ, such as the liver. Check "
        "both before it is reported."
    )
    return [Flag("lesion_in_doubtful_kidney", Severity.WARNING, message)]


def _poles_of_a_part(lesions: Sequence[LesionFinding], kidneys: Sequence[KidneyFinding]) -> list[Flag]:
    """Thirds of a kidney that is not whole in the image are not those of the kidney."""
    sides = {lesion.side for lesion in lesions if lesion.pole}
    return [
        Flag(
            "poles_of_a_part",
            Severity.INFO,
            f"The {kidney.side} kidney is not whole in the image: upper, inter and lower pole of its lesions refer to "
            "the part that is there.",
        )
        for kidney in kidneys
        if kidney.side in sides and {"feet", "head"} & set(kidney.cut_at)
    ]


def _dense(lesion: LesionFinding, phase: PhaseEstimate | None) -> list[Flag]:
    """Cysts denser than fluid; the median counts, which partial volume at the border hardly moves."""
    if lesion.structure != "cyst" or lesion.measures.perpendicular_mm < MEASURABLE_CYST_MM:
        return []
    enhanced = phase is not None and phase.phase not in ("non-contrast", "unknown")
    limit = SIMPLE_FLUID_ENHANCED if enhanced else SIMPLE_FLUID
    if lesion.measures.hu_p50 <= limit:
        return []
    message = (
        f"{_name(lesion)} has {lesion.measures.hu_p50:.0f} HU (median): more than {limit:.0f} HU is not a simple cyst "
        "by density. Characterise it."
    )
    return [Flag("dense_cyst", Severity.WARNING, message)]


def _specks(specks: Mapping[str, int]) -> list[Flag]:
    flags = []
    for key, number in specks.items():
        if number:
            groups = "group of voxels" if number == 1 else "groups of voxels"
            message = (
                f"{number} {groups} labelled {BY_KEY[key].name.lower()} {'is' if number == 1 else 'are'} smaller than "
                f"{SPECK_MM:.0f} mm and not listed as a finding."
            )
            flags.append(Flag("specks", Severity.INFO, message))
    return flags
