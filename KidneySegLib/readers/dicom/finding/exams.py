"""Whether what lies in one folder belongs to one exam of one patient."""

from collections.abc import Sequence

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag
from KidneySegLib.readers.dicom.finding.patient_marks import PatientMarks, number_of_patient
from KidneySegLib.readers.dicom.finding.series import SeriesFiles
from KidneySegLib.readers.dicom.finding.series_names import listed

# So many patients or days are named; of each, two series.
_MOST = 4


def check_exams(usable: Sequence[SeriesFiles], series: Sequence[SeriesFiles]) -> list[Flag]:
    """Refuses to choose between patients or days; says so where something else does not belong together.

    Args:
        usable: CT series that could be read.
        series: all that is there.

    Raises:
        InputError: the CT series are of several patients, or of one patient on several days.
    """
    patients = _patients(usable)
    if len(patients) > 1:
        raise _refusal(f"CT of {len(patients)} patients", "patient", patients, series)
    days = _days(usable)
    if len(days) > 1:
        raise _refusal(f"CT exams of one patient on {len(days)} days", "day", days, series)
    if len(_patients(series)) > 1:
        return [Flag.of("other_patient")]
    studies = len({candidate.frames[0].study_uid for candidate in usable})
    if studies > 1:
        return [Flag.of("several_studies", count=studies)]
    return []


def _patients(series: Sequence[SeriesFiles]) -> list[list[SeriesFiles]]:
    known: list[PatientMarks] = []
    groups: dict[int, list[SeriesFiles]] = {}
    for candidate in series:
        groups.setdefault(number_of_patient(candidate.frames[0].marks, known), []).append(candidate)
    return list(groups.values())


def _days(series: Sequence[SeriesFiles]) -> list[list[SeriesFiles]]:
    """Returns the series of each day; those of an unknown day go with the first one, as do all of one study."""
    groups: dict[str, list[SeriesFiles]] = {}
    day_of_study: dict[str, str] = {}
    for candidate in series:
        first = candidate.frames[0]
        day = day_of_study.setdefault(first.study_uid, first.marks.day)
        groups.setdefault(day, []).append(candidate)
    unknown = groups.pop("", [])
    if not groups:
        return [unknown]
    first_day, *others = groups.values()
    return [[*first_day, *unknown], *others]


def _refusal(
    what: str, which: str, groups: Sequence[Sequence[SeriesFiles]], series: Sequence[SeriesFiles]
) -> InputError:
    told = "; ".join(
        f"{which} {number}: {listed(group, series, most=2)}" for number, group in enumerate(groups[:_MOST], start=1)
    )
    return InputError(
        "The folder holds {what}. Choose the folder of one exam, or name the series. {told}.", what=what, told=told
    )
