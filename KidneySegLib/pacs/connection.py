"""Which of the two ways an archive is reached: DICOMweb (HTTP) or DIMSE (the classic DICOM network)."""

from enum import StrEnum

from KidneySegLib.errors import InputError
from KidneySegLib.pacs.archive import Archive
from KidneySegLib.pacs.dimse.archive import Dimse
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.web.dicomweb import DicomWeb


class Way(StrEnum):
    """How a server is reached."""

    DICOMWEB = "dicomweb"
    DIMSE = "dimse"


def open_archive(peer: Peer, way: Way | None = None) -> Archive:
    """Returns the archive behind a server's settings.

    Args:
        peer: its settings.
        way: DICOMweb or DIMSE; None takes DICOMweb where it is set.

    Raises:
        InputError: the settings lack what that way needs.
    """
    if way is None:
        way = Way.DICOMWEB if peer.dicomweb else Way.DIMSE
    if way is Way.DICOMWEB and not peer.dicomweb:
        raise InputError(f"Server '{peer.name}': DICOMweb needs the setting 'dicomweb'.")
    if way is Way.DIMSE and not peer.host:
        raise InputError(f"Server '{peer.name}': DIMSE needs the setting 'host'.")
    return DicomWeb(peer) if way is Way.DICOMWEB else Dimse(peer)
