"""Files that are to be sent: which they are, and what a server must know of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from KidneySegLib.errors import InputError
from KidneySegLib.pacs.transfer.belonging import files_to_send
from KidneySegLib.readers.dicom.finding.scan import MEDIA_DIRECTORY, quiet_pydicom
from KidneySegLib.readers.dicom.images.opening import open_dicom


@dataclass(frozen=True)
class OutgoingFile:
    """One DICOM file.

    Attributes:
        path: where it lies.
        sop_class_uid, sop_instance_uid: what it is and which one.
        transfer_syntax: how it is encoded, which is how it will be sent.
        study_uid, series_uid: where it belongs.
    """

    path: Path = field(repr=False)
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax: str
    study_uid: str
    series_uid: str


def outgoing_files(sources: Sequence[Path]) -> list[OutgoingFile]:
    """Finds the DICOM files among files and in folders; of a result folder only what belongs to its result.

    Raises:
        InputError: nothing is there, a named file is not DICOM, or one lacks what identifies it.
    """
    paths, strangers = files_to_send(sources)
    files = [file for path in paths if (file := _describe(path)) is not None]
    if not files and strangers:
        raise InputError(
            "The DICOM files in the result folder were made from another result. Write them again with 'kidneyseg "
            "dicom', then send them."
        )
    if not files:
        raise InputError("There is no DICOM file to send. Choose the folder that holds them.")
    return files


def _describe(path: Path) -> OutgoingFile | None:
    """Reads what identifies a file; None for a DICOMDIR, which is a list of files and not one to be stored."""
    from pydicom.errors import InvalidDicomError

    wanted = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]
    try:
        with quiet_pydicom():
            dataset = open_dicom(path, stop_before_pixels=True, specific_tags=wanted)
            if dataset.file_meta.get("MediaStorageSOPClassUID") == MEDIA_DIRECTORY:
                return None
            sop_class, sop_instance, study, series = (str(dataset[keyword].value or "") for keyword in wanted)
            syntax = str(dataset.file_meta.TransferSyntaxUID)
    except (InvalidDicomError, KeyError, AttributeError, OSError, EOFError, ValueError) as error:
        raise InputError(
            "A file that is to be sent is damaged, or lacks the identifiers that every DICOM file needs. "
            "Nothing was sent."
        ) from error
    if not all((sop_class, sop_instance, study, series)):
        raise InputError("A file that is to be sent has empty identifiers. Nothing was sent.")
    return OutgoingFile(path, sop_class, sop_instance, syntax, study, series)
