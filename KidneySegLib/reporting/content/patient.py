"""What a report says of the patient: nothing, or whose it is, as far as the font has the letters."""

from dataclasses import replace

from KidneySegLib.languages.language import N_, Language
from KidneySegLib.readers.dicom.finding.patient import Patient
from KidneySegLib.reporting.pdf.style import lacking_letters

SEXES = {"F": N_("female"), "M": N_("male"), "O": N_("sex: other")}


def patient_facts(patient: Patient | None, language: Language) -> list[tuple[str, str]]:
    """Returns who it is and which exam as pairs of name and value, or that the report is de-identified."""
    _ = language.text
    if patient is None:
        return [(_("Patient"), _("De-identified: no name, number or date of birth, no date of the exam."))]
    rows = [(_("Patient"), patient_line(patient, language))]
    if patient.exam_date is not None:
        rows.append((_("Date of the exam"), language.date(patient.exam_date)))
    if patient.accession_number:
        rows.append((_("Accession number"), patient.accession_number))
    return rows


def patient_line(patient: Patient, language: Language) -> str:
    """Returns what identifies the patient, in one line."""
    _ = language.text
    number = _("patient ID {number}").format(number=patient.identifier) if patient.identifier else ""
    born = "" if patient.birth_date is None else _("born {date}").format(date=language.date(patient.birth_date))
    return "; ".join(part for part in (patient.name, number, born, _(SEXES.get(patient.sex, ""))) if part)


def printable(patient: Patient, language: Language) -> Patient:
    """Returns the patient with words in the place of what the PDF's font cannot print."""
    _ = language.text
    lacking = _("cannot be printed in this font")
    return replace(
        patient,
        name=_("name cannot be printed in this font") if lacking_letters(patient.name) else patient.name,
        identifier=lacking if lacking_letters(patient.identifier) else patient.identifier,
        accession_number=lacking if lacking_letters(patient.accession_number) else patient.accession_number,
    )
