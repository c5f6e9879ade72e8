"""Storage commitment (PS3.4 annex J): the server takes over the responsibility for what it was sent.

It is requested by N-ACTION; the answer comes later as N-EVENT-REPORT, over the same association or over one that the
server opens to our port.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from KidneySegLib.pacs.dimse.association import IDENTIFIER_SYNTAXES, application_entity, association, status_of
from KidneySegLib.pacs.dimse.bounds import MOST_ANSWER_BYTES, Bounds
from KidneySegLib.pacs.dimse.listening import listening
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.transfer.outgoing import OutgoingFile

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom.events import Event

_VERIFICATION = "1.2.840.10008.1.1"
_PUSH_MODEL = "1.2.840.10008.1.20.1"
_WELL_KNOWN_INSTANCE = "1.2.840.10008.1.20.1.1"
_REQUEST = 1  # action type, PS3.4 table J.3-1


class CommitmentAnswer(StrEnum):
    """What became of a request; the text is used in messages."""

    COMMITTED = "committed"
    REFUSED = "refused"
    NOT_OFFERED = "not offered"
    NO_ANSWER = "no answer yet"


@dataclass(frozen=True)
class Commitment:
    """The server's answer.

    Attributes:
        answer: committed only if every instance is.
        committed: number of instances that the server answers for.
    """

    answer: CommitmentAnswer
    committed: int = 0


class _Mailbox:
    """Waits for the report that belongs to one transaction."""

    def __init__(self, transaction_uid: str) -> None:
        self._transaction_uid = transaction_uid
        self._arrived = threading.Event()
        self._report: Dataset | None = None

    def take(self, event: Event) -> tuple[int, None]:
        """Takes a report; that of somebody else's transaction is acknowledged and left aside."""
        report = event.event_information
        if report.get("TransactionUID") == self._transaction_uid:
            self._report = report
            self._arrived.set()
        return 0, None

    def wait(self, seconds: float) -> Dataset | None:
        """Returns the report, or None if it did not come in time."""
        self._arrived.wait(seconds)
        return self._report


def request_commitment(peer: Peer, files: Sequence[OutgoingFile]) -> Commitment:
    """Asks the server to answer for files that it was sent.

    Args:
        peer: the server; its ``timeout`` is also how long the report is waited for, and ``own_port`` where, if the
            server opens an association of its own.
        files: what was stored.

    Raises:
        NetworkError: the server is away, or our port cannot be opened.
    """
    from pydicom.uid import generate_uid
    from pynetdicom import evt

    transaction_uid = generate_uid()
    mailbox = _Mailbox(transaction_uid)
    entity = application_entity(peer)
    entity.add_supported_context(_PUSH_MODEL, IDENTIFIER_SYNTAXES, scu_role=True, scp_role=True)
    bounds = Bounds(peer, MOST_ANSWER_BYTES)
    handlers = [(evt.EVT_N_EVENT_REPORT, mailbox.take), *bounds.handlers()]
    with bounds.watched(), listening(peer, entity, handlers) if peer.own_port else nullcontext():
        return _ask(peer, files, transaction_uid, mailbox, bounds)


def _ask(
    peer: Peer, files: Sequence[OutgoingFile], transaction_uid: str, mailbox: _Mailbox, bounds: Bounds
) -> Commitment:
    from pynetdicom import build_context, evt

    # with a second service the association stands even where commitment is not offered, which then is known for sure
    contexts = [build_context(uid, IDENTIFIER_SYNTAXES) for uid in (_PUSH_MODEL, _VERIFICATION)]
    handlers = [(evt.EVT_N_EVENT_REPORT, mailbox.take), *bounds.handlers()]
    with association(peer, contexts, handlers=handlers) as link:
        if not any(context.abstract_syntax == _PUSH_MODEL for context in link.accepted_contexts):
            return Commitment(CommitmentAnswer.NOT_OFFERED)
        answer, _ = link.send_n_action(_request(files, transaction_uid), _REQUEST, _PUSH_MODEL, _WELL_KNOWN_INSTANCE)
        if status_of(answer, peer):
            return Commitment(CommitmentAnswer.REFUSED)
        report = mailbox.wait(peer.timeout)
    if report is None:
        return Commitment(CommitmentAnswer.NO_ANSWER)
    wanted = {file.sop_instance_uid for file in files}
    kept = {str(item.ReferencedSOPInstanceUID) for item in report.get("ReferencedSOPSequence") or []}
    return Commitment(CommitmentAnswer.COMMITTED if wanted <= kept else CommitmentAnswer.REFUSED, len(wanted & kept))


def _request(files: Sequence[OutgoingFile], transaction_uid: str) -> Dataset:
    from pydicom.dataset import Dataset

    items = []
    for file in files:
        item = Dataset()
        item.ReferencedSOPClassUID = file.sop_class_uid
        item.ReferencedSOPInstanceUID = file.sop_instance_uid
        items.append(item)
    request = Dataset()
    request.TransactionUID = transaction_uid
    request.ReferencedSOPSequence = items
    return request
