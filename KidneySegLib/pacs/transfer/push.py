"""Giving files to an archive, and asking whether it answers for them."""

from collections.abc import Sequence
from pathlib import Path

from KidneySegLib.pacs.connection import Way, open_archive
from KidneySegLib.pacs.dimse.commitment import Commitment, CommitmentAnswer, request_commitment
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.transfer.outgoing import outgoing_files


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
