"""Images by C-GET, which brings them over the same association, or by C-MOVE, which sends them to a port of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from KidneySegLib.errors import InputError, KidneySegError, NetworkError
from KidneySegLib.pacs.archive import RemoteSeries
from KidneySegLib.pacs.dimse.association import (
    IDENTIFIER_SYNTAXES,
    application_entity,
    association,
    prompt_handlers,
    status_of,
)
from KidneySegLib.pacs.dimse.bounds import Bounds
from KidneySegLib.pacs.dimse.listening import listening
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.receiving import Receiver
from KidneySegLib.readers.dicom.images.frames import CT_IMAGES
from KidneySegLib.readers.dicom.images.opening import check_unpacked_size

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom.events import Event
    from pynetdicom.presentation import PresentationContext

_STUDY_ROOT_MOVE, _STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.2", "1.2.840.10008.5.1.4.1.2.2.3"
_SUCCESS, _PENDING, _NOT_ASKED_FOR, _NOT_WRITTEN = 0x0000, 0xFF00, 0x0124, 0xA700
_MOST_ANSWERS = 1_000_000  # one for each image, or one a second
_DEFLATED = "1.2.840.10008.1.2.1.99"
# Uncompressed, deflated, RLE, JPEG, JPEG lossless, JPEG-LS, JPEG 2000 (PS3.5 annex A): all that the reader decodes.
_CT_SYNTAXES = (
    *("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"),
    *(_DEFLATED, "1.2.840.10008.1.2.5"),
    *(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)),
)
# What archives hold beside CT and what this program writes; an association has room for 128 contexts.
_OTHER_OBJECTS = (
    "1.2.840.10008.5.1.4.1.1.4",  # MR
    "1.2.840.10008.5.1.4.1.1.6.1",  # ultrasound
    "1.2.840.10008.5.1.4.1.1.7",  # secondary capture
    "1.2.840.10008.5.1.4.1.1.66.4",  # segmentation
    "1.2.840.10008.5.1.4.1.1.66.7",  # label map segmentation
    "1.2.840.10008.5.1.4.1.1.88.22",  # enhanced SR
    "1.2.840.10008.5.1.4.1.1.88.33",  # comprehensive SR
    "1.2.840.10008.5.1.4.1.1.88.34",  # comprehensive 3D SR
    "1.2.840.10008.5.1.4.1.1.104.1",  # encapsulated PDF
)


class _Inbox:
    """Answers the C-STORE requests that bring a series."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.problem: KidneySegError | None = None
        self.strangers = 0

    def take(self, event: Event) -> int:
        """Writes one image; refuses what does not belong to the series, since anybody may knock at an open port."""
        try:
            if event.context.transfer_syntax == _DEFLATED:
                # the data set alone: pynetdicom's encoded file begins with its meta information
                check_unpacked_size(event.encoded_dataset(include_meta=False))
            image = event.dataset
            expected = self._receiver.is_expected(image)
        except KidneySegError as error:
            self.problem = error
            return _NOT_WRITTEN
        except Exception:  # whatever is not DICOM makes pydicom raise nearly anything
            expected = False
        if not expected:
            self.strangers += 1
            return _NOT_ASKED_FOR
        try:
            self._receiver.take(event.encoded_dataset(), image)
        except KidneySegError as error:
            self.problem = error
            return _NOT_WRITTEN
        return _SUCCESS


def retrieve_by_get(peer: Peer, series: RemoteSeries, receiver: Receiver) -> None:
    """Brings a series by C-GET.

    Raises:
        NetworkError: the server is away, refuses, breaks off, or is too slow or sends too much.
        InputError: the images are not what was asked for, or lack valid identifiers.
        OutputError: an image cannot be written.
    """
    from pynetdicom import build_context, build_role, evt

    storage = list(_storage_contexts())
    classes = dict.fromkeys(str(context.abstract_syntax) for context in storage)
    roles = [build_role(uid, scp_role=True) for uid in classes]
    inbox, bounds = _Inbox(receiver), _bounds(peer)
    handlers = [(evt.EVT_C_STORE, inbox.take), *bounds.handlers()]
    contexts = [build_context(_STUDY_ROOT_GET, IDENTIFIER_SYNTAXES), *storage]
    with bounds.watched(), association(peer, contexts, roles=roles, handlers=handlers) as link:
        _follow(link.send_c_get(_identifier(series), _STUDY_ROOT_GET), peer, inbox)


def retrieve_by_move(peer: Peer, series: RemoteSeries, receiver: Receiver) -> None:
    """Brings a series by C-MOVE: the server opens associations to our port and stores the images there.

    Raises:
        NetworkError: the server is away, refuses or breaks off, is too slow or sends too much, or the port is taken.
        InputError: the images are not what was asked for, or lack valid identifiers.
        OutputError: an image cannot be written.
    """
    from pynetdicom import build_context, evt

    inbox, bounds = _Inbox(receiver), _bounds(peer)
    entity = application_entity(peer)
    for context in _storage_contexts():
        entity.add_supported_context(str(context.abstract_syntax), context.transfer_syntax)
    ours: list[Any] = [(evt.EVT_C_STORE, inbox.take), *prompt_handlers(), *bounds.handlers()]
    request = [build_context(_STUDY_ROOT_MOVE, IDENTIFIER_SYNTAXES)]
    with (
        bounds.watched(),
        listening(peer, entity, ours),
        association(peer, request, handlers=bounds.handlers()) as link,
    ):
        _follow(link.send_c_move(_identifier(series), peer.own_aet, _STUDY_ROOT_MOVE), peer, inbox)


def _bounds(peer: Peer) -> Bounds:
    return Bounds(peer, int(peer.largest_series_gb * 1e9))


def _storage_contexts() -> Iterator[PresentationContext]:
    """Proposes each transfer syntax in a context of its own, so that the server can send what is stored as it is."""
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
    from pynetdicom import build_context

    for uid in CT_IMAGES:
        for syntax in _CT_SYNTAXES:
            yield build_context(uid, syntax)
    for uid in _OTHER_OBJECTS:
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
            yield build_context(uid, syntax)


def _identifier(series: RemoteSeries) -> Dataset:
    from pydicom.dataset import Dataset

    identifier = Dataset()
    identifier.QueryRetrieveLevel = "SERIES"
    identifier.StudyInstanceUID = series.study_uid
    identifier.SeriesInstanceUID = series.series_uid
    return identifier


def _follow(answers: Iterator[tuple[Dataset, Any]], peer: Peer, inbox: _Inbox) -> None:
    """Waits for the last answer and checks that every sub-operation succeeded."""
    for number, (answer, _) in enumerate(answers):
        if number > _MOST_ANSWERS:
            raise NetworkError(
                f"Server '{peer.name}' reports progress again and again, but does not finish. Try again later."
            )
        status = status_of(answer, peer)
        if inbox.problem is not None:
            raise inbox.problem
        if status not in (_SUCCESS, _PENDING) and inbox.strangers:
            raise InputError("The server sent images that are damaged or of another series. Nothing of it was kept.")
        if status not in (_SUCCESS, _PENDING):
            raise NetworkError(f"Server '{peer.name}' could not send all images (status {status:#06x}).{_hint(peer)}")


def _hint(peer: Peer) -> str:
    """Says what a C-MOVE mostly lacks; few servers answer with the status for an unknown destination (A801)."""
    if peer.retrieve != "move":
        return ""
    return f" Check that it knows the title {peer.own_aet} with the address of this machine and port {peer.own_port}."
