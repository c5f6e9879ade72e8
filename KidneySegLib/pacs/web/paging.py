"""Searches that are answered page by page, and may never end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from KidneySegLib.errors import NetworkError
from KidneySegLib.pacs.archive import RemoteSeries
from KidneySegLib.pacs.listing import MOST_IMAGES
from KidneySegLib.pacs.peers import Peer
from KidneySegLib.readers.dicom.images.frames import text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MOST_ENTRIES = 50_000
_PAGES_TIME = 10  # deadlines of one answer that all pages together may take
_LATE_IMAGES = 1_000  # may still arrive at the archive while a series is brought


def all_entries(search: Callable[..., Any], key: str, peer: Peer) -> list[Dataset]:
    """Returns the entries of all pages of a search in the server's order, each once.

    A page without a new entry is the last: some servers leave the offset aside and give the same page for ever.

    Args:
        search: gives a page as JSON objects; takes ``offset``.
        key: keyword of the UID that tells entries apart.
        peer: the server.

    Raises:
        NetworkError: there is no end to it.
    """
    found: dict[str, Dataset] = {}
    count = 0
    end = time.monotonic() + _PAGES_TIME * peer.deadline
    while page := search(offset=count):
        count += len(page)
        fresh = {text(dataset, key): dataset for dataset in map(dataset_of, page)}
        if fresh.keys() <= found.keys():
            break
        found |= fresh
        if len(found) > MOST_ENTRIES or time.monotonic() > end:
            raise NetworkError(
                f"Server '{peer.name}' lists {len(found)} entries and still more. Ask for less, such as one study."
            )
    return list(found.values())


def dataset_of(entry: dict[str, Any]) -> Dataset:
    """Returns an entry in the DICOM JSON model (PS3.18 annex F) as a data set; bulk data are left out."""
    from pydicom import Dataset

    return Dataset.from_json(entry, bulk_data_uri_handler=lambda uri: None)


def most_objects(series: RemoteSeries) -> int:
    """Returns how many objects an archive may send for a series before something is wrong with it."""
    return MOST_IMAGES if series.images is None else series.images + _LATE_IMAGES
