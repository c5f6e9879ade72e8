"""Choosing the one CT series that serves best for kidneys, and saying why nothing does."""

from __future__ import annotations

import re
from collections.abc import Sequence

from KidneySegLib.dicom.geometry import placement_problem
from KidneySegLib.dicom.series import Kind, SeriesFiles
from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.flags import Flag, Severity

MINIMUM_SLICES = 3
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
# Kernels for lung and bone: GE by word, Philips by letter, Siemens B60 or Br60 upwards, Canon FC30 upwards.
_SHARP = re.compile(r"LUNG|BONE|EDGE|DETAIL|SHARP|^(YA|YB|YC|YD|D|E|L)$|^[A-Z]{1,2}[6-9]\d[A-Z]?|^FC[3-9]\d")
_WITHOUT_KIDNEYS = re.compile(r"HEAD|BRAIN|SKULL|NECK|CSPINE|SINUS|ORBIT|KNEE|ANKLE|FOOT|HAND|WRIST")
_ENOUGH_COVERAGE = 250.0  # mm along the body: holds both kidneys and some room


def choose(series: Sequence[SeriesFiles]) -> tuple[SeriesFiles, list[Flag]]:
    """Returns the CT series that serves best, and flags that say what was left out.

    Axial slices go before others, a body part that may hold kidneys before one that cannot, a scan long enough for
    both kidneys before a short one, a soft kernel before a sharp one, thin slices (1 mm is thin enough) before thick
    ones, many images before few, at last the lower series number.

    Raises:
        GeometryError: there is CT, but no volume can be made of it.
        InputError: there is no CT.
    """
    usable = [candidate for candidate in series if problem(candidate) is None]
    if not usable:
        raise _why_nothing(series)
    best = max(usable, key=_merit)
    others = [candidate for candidate in series if candidate is not best]
    if not others:
        return best, []
    severity = Severity.WARNING if len(usable) > 1 else Severity.INFO
    message = f"Of several series, {best.label()} was read. Left out: {_listed(others)}."
    if len(usable) > 1:
        message += " Name the series if another one was meant."
    return best, [Flag("series_left_out", severity, message)]


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
        return "The images are a localiser (scout view); choose the CT series that was planned on it."
    if series.kind is Kind.SCREEN:
        return "The images are screen captures or a dose report; choose the original CT series."
    if series.kind is Kind.MAP:
        return "The images are a computed map (such as iodine or density), not Hounsfield units; choose the CT series."
    if series.kind is Kind.DOCUMENT:
        return "The DICOM files hold no images."
    if series.kind is Kind.UNPLACED:
        return placement_problem(series.frames[0])
    return None


def _merit(series: SeriesFiles) -> tuple[float, ...]:
    return (
        series.is_axial,
        not cannot_hold_kidneys(series.frames[0].body_part),
        round(min(series.extent, _ENOUGH_COVERAGE) / 50),
        not is_sharp_kernel(series.frames[0].kernel),
        -max(series.spacing, 1.0),
        len(series.slice_positions),
        -(series.number or 0),
        -series.part,
    )


def cannot_hold_kidneys(body_part: str) -> bool:
    """Whether BodyPartExamined, in upper case, names a part of the body without kidneys."""
    return bool(_WITHOUT_KIDNEYS.search(body_part))


def is_sharp_kernel(kernel: str) -> bool:
    """Whether a reconstruction kernel is one for lung or bone, as far as its name tells."""
    return bool(_SHARP.search(kernel.upper().split("\\")[0]))


def _why_nothing(series: Sequence[SeriesFiles]) -> InputError:
    if not series:
        return InputError("No DICOM image was found. Choose the folder that holds the CT series.")
    ct = [candidate for candidate in series if candidate.modality == "CT"]
    if not ct:
        names = sorted({candidate.modality or "unknown" for candidate in series})
        if len(names) == 1:
            return InputError(problem(series[0]))
        return InputError(f"The images are {', '.join(names)}; a CT series is needed.")
    # the sentence about the largest series is the one that helps
    largest = max(ct, key=lambda candidate: (candidate.kind is not Kind.DOCUMENT, len(candidate.frames)))
    return GeometryError(problem(largest))


def _listed(series: Sequence[SeriesFiles], most: int = 8) -> str:
    """Returns the labels of at most ``most`` series, joined."""
    rest = len(series) - most
    labels = [candidate.label() for candidate in series[:most]]
    return ", ".join(labels) + (f" and {rest} more" if rest > 0 else "")
