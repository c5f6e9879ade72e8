"""Checks of lesions and of what the contrast phase allows to know: flags, never a diagnosis."""

from collections.abc import Collection, Mapping, Sequence

from KidneySegLib.findings import KidneyFinding, LesionFinding, PhaseEstimate
from KidneySegLib.findings.flag_values import name_of
from KidneySegLib.flags import Flag
from KidneySegLib.geometry.bodies import SPECK_MM
from KidneySegLib.hounsfield import SIMPLE_FLUID, SIMPLE_FLUID_ENHANCED
from KidneySegLib.structures import Side

# Below this mean probability a lesion's label could as well have been another.
SURE_CONFIDENCE = 0.6
# Below this confidence the phase is called probable.
SURE_PHASE = 0.8

# Smaller cysts hold hardly a voxel that is free of their neighbourhood's density.
MEASURABLE_CYST_MM = 8.0


def check_lesions(
    lesions: Sequence[LesionFinding],
    kidneys: Sequence[KidneyFinding],
    specks: Mapping[str, int],
    phase: PhaseEstimate | None,
    doubtful: Collection[Side] = (),
    remade: Collection[Side] = (),
) -> list[Flag]:
    """Looks at the lesions: completeness, confidence, place, density.

    Args:
        lesions: masses and cysts.
        kidneys: the kidneys that were found.
        specks: number of voxel groups too small to be a lesion, by structure key.
        phase: the contrast phase.
        doubtful: sides whose kidney may be something else.
        remade: sides whose kidney a reader made a lesion or stone, which a flag of its own tells.
    """
    sides = {kidney.side for kidney in kidneys} | {*remade}
    flags = []
    for lesion in lesions:
        flags += [*_cut(lesion), *_uncertain(lesion), *_without_kidney(lesion, sides), *_dense(lesion, phase)]
        flags += _in_doubtful_kidney(lesion, doubtful)
    return flags + _poles_of_a_part(lesions, kidneys) + _specks(specks)


def check_phase(phase: PhaseEstimate) -> list[Flag]:
    """Says what the contrast phase does not allow to know."""
    if phase.phase == "unknown":
        return [Flag.of("phase_unknown")]
    if phase.phase == "non-contrast":
        return [Flag.of("masses_without_contrast", probably=_is_likely(phase))]
    flags = [stones_with_contrast(phase)]
    if phase.phase == "corticomedullary":
        flags.append(Flag.of("masses_in_early_phase", probably=_is_likely(phase)))
    return flags


def stones_with_contrast(phase: PhaseEstimate) -> Flag:
    """Returns what a scan with contrast medium does not allow to know of stones."""
    return Flag.of("stones_with_contrast", probably=_is_likely(phase), phase=phase.phase)


def _is_likely(phase: PhaseEstimate) -> bool:
    """Whether the phase is likely, but not certain."""
    return phase.confidence < SURE_PHASE


def _cut(lesion: LesionFinding) -> list[Flag]:
    if not lesion.cut_at:
        return []
    return [Flag.of("lesion_cut", lesion=name_of(lesion), ends=lesion.cut_at)]


def _uncertain(lesion: LesionFinding) -> list[Flag]:
    if lesion.confidence is None or lesion.confidence >= SURE_CONFIDENCE:
        return []
    return [Flag.of("low_confidence_lesion", lesion=name_of(lesion), confidence=lesion.confidence)]


def _without_kidney(lesion: LesionFinding, found: set[Side]) -> list[Flag]:
    if lesion.side in found:
        return []
    return [Flag.of("lesion_without_kidney", lesion=name_of(lesion))]


def _in_doubtful_kidney(lesion: LesionFinding, doubtful: Collection[Side]) -> list[Flag]:
    if lesion.side not in doubtful:
        return []
    return [Flag.of("lesion_in_doubtful_kidney", lesion=name_of(lesion))]


def _poles_of_a_part(lesions: Sequence[LesionFinding], kidneys: Sequence[KidneyFinding]) -> list[Flag]:
    """Thirds of a kidney that is not whole in the image are not those of the kidney."""
    sides = {lesion.side for lesion in lesions if lesion.pole}
    return [
        Flag.of("poles_of_a_part", side=kidney.side)
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
    return [Flag.of("dense_cyst", lesion=name_of(lesion), median_hu=lesion.measures.hu_p50, limit_hu=limit)]


def _specks(specks: Mapping[str, int]) -> list[Flag]:
    counted = ((key, number) for key, number in specks.items() if number)
    return [Flag.of("specks", count=number, structure=key, limit_mm=SPECK_MM) for key, number in counted]
