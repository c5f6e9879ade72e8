"""How well a CT series serves for kidneys: one criterion after the other, each with the reason that users are told."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from KidneySegLib.readers.dicom.finding.body_regions import WITH_KIDNEYS, WITHOUT_KIDNEYS, is_surely_without_kidneys
from KidneySegLib.readers.dicom.finding.derivation import HOUNSFIELD_UNITS, Derivation
from KidneySegLib.readers.dicom.finding.phases import worth
from KidneySegLib.readers.dicom.finding.series import SeriesFiles
from KidneySegLib.readers.dicom.finding.words import any_word, plain_words

# Kernels for lung and bone: GE by word, Philips by letter, Siemens B60 or Br60 upwards, Canon FC30 upwards.
_SHARP = re.compile(r"LUNG|BONE|EDGE|DETAIL|SHARP|^(YA|YB|YC|YD|D|E|L)$|^[A-Z]{1,2}[6-9]\d[A-Z]?|^FC[3-9]\d")
# The same by the description, where the kernel is not named.
_SHARP_WORDS = any_word("LUNG; LUNGS; LUNGE; LUNGEN*; PULMON; AKCIGER PEN*; BONE; BONES; KNOCHEN*; HUESO*; "
"OSEO*; OSEA; KEMIK*; SHARP")  # fmt: skip
_ENOUGH_COVERAGE = 250.0  # mm along the body: holds both kidneys and some room
_LEAST_COVERAGE = 100.0  # mm: a shorter slab may lie beside the kidneys, whatever it is called
_LONGER_THAN_A_PART = 450.0  # mm: no head, neck, chest or pelvis alone is that long
_USUAL_ENERGY = 70  # keV: monoenergetic images that look like those of the usual 120 kV


@dataclass(frozen=True)
class Criterion:
    """One thing that is compared.

    Attributes:
        value: of a series; the larger, the better.
        reason: why a series with a larger value is read, a word of ``flags.series.REASONS``.
    """

    value: Callable[[SeriesFiles], float]
    reason: str


def kidney_level(series: SeriesFiles) -> int:
    """Returns how likely the kidneys are in view by the headers: 3 named, 2 not known, 1 near, 0 elsewhere."""
    regions = series.regions
    if regions & WITH_KIDNEYS:
        return 3 if series.extent >= _LEAST_COVERAGE else 2
    if not regions or series.extent > _LONGER_THAN_A_PART:
        return 2
    return 0 if regions <= WITHOUT_KIDNEYS else 1


def cannot_hold_kidneys(series: SeriesFiles) -> bool:
    """Whether several texts of the headers agree that a series shows a part of the body without kidneys.

    BodyPartExamined alone is never believed, nor is any text of a scan that is too long for such a part.
    """
    first = series.frames[0]
    texts = (first.description, first.protocol, first.body_part, first.study_description)
    return series.extent <= _LONGER_THAN_A_PART and is_surely_without_kidneys(*texts)


def is_sharp_kernel(kernel: str) -> bool:
    """Whether a reconstruction kernel is one for lung or bone, as far as its name tells."""
    return bool(_SHARP.search(kernel.upper().split("\\")[0]))


def _is_soft(series: SeriesFiles) -> bool:
    first = series.frames[0]
    if first.kernel:
        return not is_sharp_kernel(first.kernel)
    return not _SHARP_WORDS.search(plain_words(first.description))


def _energy_distance(series: SeriesFiles) -> float:
    """Returns how far the energy of monoenergetic images lies from the usual one in keV."""
    if series.derived.what is not Derivation.MONOENERGETIC:
        return 0.0
    found = re.search(
        r"(\d{2,3}) ?KEV|(?:MONO\w*|VMI) (?:PLUS )?(\d{2,3})(?!\d)", plain_words(series.frames[0].description)
    )
    return abs(int(found[1] or found[2]) - _USUAL_ENERGY) if found else 2.0 * _USUAL_ENERGY


def _coarseness(series: SeriesFiles) -> int:
    """Returns the slices' thickness in steps of a factor 1.4; 1.5 mm are thin enough."""
    return round(2 * math.log2(max(series.detail, 1.5)))


CRITERIA = (
    Criterion(lambda series: series.derived.what in HOUNSFIELD_UNITS, "original"),
    Criterion(lambda series: series.is_axial, "axial"),
    Criterion(kidney_level, "region"),
    Criterion(lambda series: round(min(series.extent, _ENOUGH_COVERAGE) / 50), "coverage"),
    Criterion(lambda series: series.derived.what is Derivation.NONE, "original"),
    Criterion(lambda series: -_energy_distance(series), "energy"),
    Criterion(_is_soft, "kernel"),
    Criterion(lambda series: series.derived.is_original, "original"),
    Criterion(lambda series: -_coarseness(series), "thin"),
    Criterion(lambda series: worth(series.phase), "phase"),
    Criterion(lambda series: -max(series.detail, 1.0), "thin"),
    Criterion(lambda series: len(series.slice_positions), "images"),
    Criterion(lambda series: -(series.number or 0), "number"),
    Criterion(lambda series: -series.part, "first"),
)


def merit(series: SeriesFiles) -> tuple[float, ...]:
    """Returns what series are compared by, most important first."""
    return tuple(criterion.value(series) for criterion in CRITERIA)


def reason(best: SeriesFiles, second: SeriesFiles) -> str:
    """Returns why one series is better than another, a word of ``flags.series.REASONS``."""
    pairs = zip(CRITERIA, merit(best), merit(second), strict=True)
    return next((criterion.reason for criterion, one, other in pairs if one > other), CRITERIA[-1].reason)
