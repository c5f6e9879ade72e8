"""Options that need a DICOM series: refused before the work rather than after it."""

from pathlib import Path

from KidneySegLib.errors import InputError

FOR_RESULTS = "--dicom needs a DICOM series, which the results then belong to. Leave it out for this input."
FOR_PATIENT = "--identified needs a DICOM series, whose headers name the patient. Leave it out for this input."


def require_dicom(source: Path, sentence: str) -> None:
    """Refuses an input without any DICOM file.

    Raises:
        InputError: it has none; the message is ``sentence``.
    """
    from KidneySegLib.readers.dicom.finding.scan import is_dicom_file

    files = source.rglob("*") if source.is_dir() else [source]
    if not any(file.is_file() and is_dicom_file(file) for file in files):
        raise InputError(sentence)
