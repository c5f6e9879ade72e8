"""Choosing the one CT series that serves best for kidneys, and saying why it was taken, or why nothing was."""

from collections.abc import Sequence

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.flags import Flag
from KidneySegLib.languages.language import N_
from KidneySegLib.readers.dicom.finding.derivation import HOUNSFIELD_UNITS, Derivation
from KidneySegLib.readers.dicom.finding.exams import check_exams
from KidneySegLib.readers.dicom.finding.merit import cannot_hold_kidneys, kidney_level, merit, reason
from KidneySegLib.readers.dicom.finding.phases import scan_order, told
from KidneySegLib.readers.dicom.finding.series import Kind, SeriesFiles
from KidneySegLib.readers.dicom.finding.series_names import option, typed
from KidneySegLib.readers.dicom.images.geometry import placement_problem

MINIMUM_SLICES = 3
# Codes of the flags that say which of several series was read, and why.
CHOICE_OF_SERIES = ("only_ct_volume", "series_left_out", "several_phases")
MODALITY_NAMES = {
    "MR": "magnetic resonance",
    "US": "ultrasound",
    "PT": "positron emission tomography",
    "NM": "nuclear medicine",
    "CR": "X-ray",
    "DX": "X-ray",
    "RF": "fluoroscopy",
    "XA": "angiography",
    "MG": "mammography",
    "SEG": "segmentation",
    "SR": "report",
    "RTSTRUCT": "contours",
    "RTDOSE": "radiation dose",
    "PR": "presentation state",
    "KO": "key object selection",
    "OT": "other",
    "SC": "secondary capture",
}
_NEAR_PHASE = 0.5  # of the best series' extent: a shorter one is not a phase of the same scan


def choose(series: Sequence[SeriesFiles], *, named: bool = False) -> tuple[SeriesFiles, list[Flag]]:
    """Returns the CT series that serves best, and flags that say why, and what was left out.

    What counts, in this order, stands in ``merit.CRITERIA``: original images before computed ones, axial slices, the
    part of the body, coverage, the kernel, thickness, the contrast phase.

    Args:
        series: all that is there, or what a user has named.
        named: whether a user has named it; it is then taken whatever its headers say of patient, exam and body.

    Raises:
        GeometryError: there is CT, but no volume can be made of it.
        InputError: there is no CT, or it belongs to several patients or exams, or shows no part with kidneys.
    """
    usable = [candidate for candidate in series if problem(candidate) is None]
    if not usable:
        raise _why_nothing(series)
    flags = [] if named else check_exams(usable, series)
    ranked = sorted(usable, key=merit, reverse=True)
    best = ranked[0]
    if cannot_hold_kidneys(best) and not named:
        raise InputError(
            "The CT series show a part of the body without kidneys: the headers of {series} say so. If they "
            "are wrong, name the series: {option}.",
            series=best.label(),
            option=typed(best, series),
        )
    others = [candidate for candidate in series if candidate is not best]
    if others:
        flags.append(_left_out(ranked, others, series))
    return best, [*flags, *_several_phases(ranked), *_computed(best)]


def _left_out(ranked: Sequence[SeriesFiles], others: Sequence[SeriesFiles], series: Sequence[SeriesFiles]) -> Flag:
    best, left_out = ranked[0], [candidate.named() for candidate in others]
    if len(ranked) == 1:
        return Flag.of("only_ct_volume", series=best.named(), others=left_out)
    second = ranked[1]
    return Flag.of(
        "series_left_out",
        series=best.named(),
        reason=reason(best, second),
        others=left_out,
        option=option(second, series),
    )


def _several_phases(ranked: Sequence[SeriesFiles]) -> list[Flag]:
    """Names the contrast phases of one part of the body, where the headers or the times of the scans tell them."""
    best = ranked[0]
    alike = [
        series
        for series in ranked
        if series.derived.what in HOUNSFIELD_UNITS
        and series.is_axial
        and kidney_level(series) == kidney_level(best)
        and series.extent >= _NEAR_PHASE * best.extent
    ]
    names = scan_order([(series.phase, series.acquired) for series in alike])
    first = {name: series for name, series in reversed(list(zip(names, alike, strict=True))) if name}
    if len(first) < 2:
        return []
    listed = sorted(first.items(), key=lambda item: (item[1].acquired or 0, item[1].number or 0, item[1].part))
    phases = [{**series.numbered(), "phase": told(name)} for name, series in listed]
    return [Flag.of("several_phases", phases=phases, phase=told(names[0]))]


def _computed(best: SeriesFiles) -> list[Flag]:
    """Warns where not the scan itself is read, but something that was computed from it."""
    what = best.derived.what
    if what in (Derivation.NONE, Derivation.REFORMAT, Derivation.AVERAGE):
        return []
    return [Flag.of("computed_images", kind=what)]


def problem(series: SeriesFiles) -> str | None:
    """Returns a sentence that says why no CT volume can be made of a series, or None."""
    sentence = image_problem(series)
    if sentence is None and series.slice_positions.size < MINIMUM_SLICES:
        count = series.slice_positions.size
        return (
            f"The series has only {count} slice{'s' if count > 1 else ''}; at least {MINIMUM_SLICES} are needed to "
            "measure a volume. Choose the folder with the whole series."
        )
    return sentence


def image_problem(series: SeriesFiles) -> str | None:
    """Returns a sentence that says why the images are not those of a CT with a place in the patient, or None."""
    if series.modality != "CT":
        name = MODALITY_NAMES.get(series.modality)
        what = f"{series.modality} ({name})" if name else (series.modality or "of unknown modality")
        return f"The images are {what}; a CT series is needed."
    if series.kind is Kind.LOCALISER:
        return N_("The images are a localiser (scout view); choose the CT series that was planned on it.")
    if series.kind is Kind.SCREEN:
        return N_("The images are screen captures or a dose report; choose the original CT series.")
    if series.kind is Kind.MAP:
        return N_(
            "The images are a computed map (such as iodine or density), not Hounsfield units; choose the CT series."
        )
    if series.kind is Kind.VIEW:
        return N_(
            "The images are projections or other 3D views (such as MIP): sizes and densities cannot be taken "
            "from them. Choose the original CT series."
        )
    if series.kind is Kind.DOCUMENT:
        return N_("The DICOM files hold no images.")
    if series.kind is Kind.UNPLACED:
        return placement_problem(series.frames[0])
    return None


def _why_nothing(series: Sequence[SeriesFiles]) -> InputError:
    if not series:
        return InputError("No DICOM image was found. Choose the folder that holds the CT series.")
    ct = [candidate for candidate in series if candidate.modality == "CT"]
    if not ct:
        names = sorted({candidate.modality or "unknown" for candidate in series})
        if len(names) == 1:
            return InputError(problem(series[0]) or "")
        return InputError("The images are {kinds}; a CT series is needed.", kinds=", ".join(names))
    # the sentence about the largest series is the one that helps
    largest = max(ct, key=lambda candidate: (candidate.kind is not Kind.DOCUMENT, len(candidate.frames)))
    return GeometryError(problem(largest) or "")
