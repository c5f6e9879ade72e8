"""Files that are to be sent: which they are, and what a server must know of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from KidneySegLib.errors import InputError
from KidneySegLib.pacs.connection import Way, open_archive
from KidneySegLib.pacs.dimse.commitment import Commitment, CommitmentAnswer, request_commitment
from KidneySegLib.pacs.peers import Peer
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
            "The DICOM files in the result folder were made from another result. Write them anew with 'kidneyseg "
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


def push_files(peer: Peer, sources: Sequence[Path], way: Way | None = None) -> tuple[int, Commitment]:
    """Stores all DICOM files among files and in folders; asks for storage commitment if the server has a DIMSE side.

    Args:
        peer: the server.
        sources: files and folders.
        way: DICOMweb or DIMSE; None takes DICOMweb where it is set.

    Returns:
        The number of files, and what the server says of its commitment.

    Raises:
        InputError: there is nothing to send, or a file is damaged.
        NetworkError: the server is away, refuses, or does not take a file.
    """
    archive = open_archive(peer, way)
    files = outgoing_files(sources)
    archive.store(files)
    commitment = request_commitment(peer, files) if peer.host else Commitment(CommitmentAnswer.NOT_OFFERED)
    return len(files), commitment
