"""Files to a server by C-STORE, each in the transfer syntax that it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from KidneySegLib.errors import NetworkError
from KidneySegLib.pacs.dimse.association import association, status_of
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.transfer.outgoing import OutgoingFile

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

_DUPLICATE = 0x0111  # PS3.7 annex C: the instance is there already
_WARNINGS = range(0xB000, 0xC000)  # stored, with a remark


def store_files(peer: Peer, files: Sequence[OutgoingFile]) -> None:
    """Stores files over one association; one that the server holds already is not an error.

    Raises:
        NetworkError: the server is away, or does not take a file.
    """
    with association(peer, _contexts(files)) as link:
        accepted = {(context.abstract_syntax, context.transfer_syntax[0]) for context in link.accepted_contexts}
        for file in files:
            if not any((file.sop_class_uid, syntax) in accepted for syntax in _sent_as(file)):
                raise NetworkError(
                    f"Server '{peer.name}' does not take files of the class {file.sop_class_uid} in the transfer "
                    f"syntax {file.transfer_syntax}."
                )
        for file in files:
            status = status_of(link.send_c_store(file.path), peer)
            if status not in (0, _DUPLICATE) and status not in _WARNINGS:
                raise NetworkError(f"Server '{peer.name}' did not store a file (status {status:#06x}).")


def _contexts(files: Sequence[OutgoingFile]) -> list[PresentationContext]:
    from pynetdicom import build_context

    wanted = dict.fromkeys((file.sop_class_uid, syntax) for file in files for syntax in _sent_as(file))
    return [build_context(sop_class, syntax) for sop_class, syntax in wanted]


def _sent_as(file: OutgoingFile) -> tuple[str, ...]:
    """Returns the transfer syntaxes that a file may be sent in without touching its pixels."""
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    # the two uncompressed little-endian ones differ in headers only, and every server takes implicit (PS3.5 10.1)
    either = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
    if file.transfer_syntax in either:
        return tuple(sorted(either, key=lambda syntax: syntax != file.transfer_syntax))
    return (file.transfer_syntax,)
