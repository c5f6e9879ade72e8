"""Orthanc's own interface: its list of changes, and whether a study is still arriving."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from KidneySegLib.errors import InputError, NetworkError
from KidneySegLib.pacs.identifiers import is_uid
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.pacs.web.orthanc_answers import LastChange, ListedChange, Page, SeriesParent, StudyState
from KidneySegLib.pacs.web.session import http_errors, open_session

if TYPE_CHECKING:
    import requests

_PAGE = 500
_MOST_PAGES = 2_000  # read in one go; the next look reads on


@dataclass(frozen=True)
class StudyChange:
    """Something that happened to a study.

    Attributes:
        number: Orthanc's running number.
        study_id: Orthanc's own identifier of the study; "" where the change is none that matters here.
    """

    number: int
    study_id: str


@dataclass(frozen=True)
class Study:
    """A study as Orthanc describes it.

    Attributes:
        uid: StudyInstanceUID.
        is_stable: whether nothing has arrived for a while (Orthanc's ``StableAge``).
    """

    uid: str
    is_stable: bool


class Orthanc:
    """The server that is watched. Every call raises ``NetworkError`` where it is away or refuses."""

    def __init__(self, peer: Peer) -> None:
        """Remembers the server; nothing is connected yet.

        Raises:
            InputError: the settings do not name its own interface.
        """
        if not peer.rest:
            raise InputError(f"Server '{peer.name}': watching needs the setting 'rest', Orthanc's own address.")
        self._peer = peer

    @cached_property
    def _session(self) -> requests.Session:
        return open_session(self._peer)

    def changes(self, since: int) -> Iterator[list[StudyChange]]:
        """Yields pages of changes after a number, oldest first; no more at a time than a server can reasonably have.

        New studies and series count beside stable ones: a server that is restarted never calls stable what had arrived
        shortly before.
        """
        for _ in range(_MOST_PAGES):
            path = f"changes?since={since}&limit={_PAGE}"
            page: Page = self._get(path, partial(Page.after, since=since))
            yield [StudyChange(entry.number, self._study_of(entry)) for entry in page.changes]
            since = page.number
            if page.is_last:
                return

    def last_change(self) -> int:
        """Returns the number of the newest change."""
        return self._get("changes?last", LastChange.model_validate).number

    def study(self, study_id: str) -> Study | None:
        """Returns what Orthanc says of a study, or None if it is no longer there.

        Raises:
            InputError: the study's identifier is none.
        """
        state: StudyState | None = self._get(f"studies/{study_id}", StudyState.model_validate, missing=None)
        if state is None:
            return None
        if not is_uid(state.tags.uid):
            raise InputError(
                "The study's identifier is not valid (a UID has at most 64 digits and dots). Correct it there."
            )
        return Study(state.tags.uid, state.is_stable)

    def _study_of(self, entry: ListedChange) -> str:
        """Returns Orthanc's identifier of the study that a change is about; "" for one that cannot be asked for."""
        if entry.kind in ("NewStudy", "StableStudy"):
            return entry.resource_id
        if entry.kind == "NewSeries" and entry.resource_id:
            parent = self._get(f"series/{entry.resource_id}", SeriesParent.model_validate, missing=None)
            return parent.study_id if parent else ""
        return ""

    def _get(self, path: str, understand: Callable[[Any], Any], **default: Any) -> Any:
        """Returns what the JSON behind a path says; ``missing`` stands for a resource that is not there."""
        with http_errors(self._peer):
            answer = self._session.get(f"{self._peer.rest.rstrip('/')}/{path}", timeout=self._peer.timeout)
            if answer.status_code == 404 and "missing" in default:
                return default["missing"]
            answer.raise_for_status()
            try:
                return understand(answer.json())
            except (ValueError, RecursionError):  # no JSON, or nested so deep that it cannot be read
                raise NetworkError(
                    f"Server '{self._peer.name}' does not answer as an Orthanc does. Check 'rest' in the file of "
                    "servers."
                ) from None
