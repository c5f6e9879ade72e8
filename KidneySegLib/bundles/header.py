"""The head of a bundle: what a list of models shows. It is read without the packages that a run needs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from KidneySegLib.bundles.limits import LARGEST_MANIFEST
from KidneySegLib.errors import BundleError

FORMAT_VERSION = 3
MANIFEST = "bundle.json"
CARD = "card.md"
_LONGEST_TEXT = 200


@dataclass(frozen=True)
class BundleHeader:
    """Who a bundle is.

    Attributes:
        folder: where it lies.
        name: stable name, as the user types it.
        version: of the weights.
        title: one line for people.
        task: what it is for, such as ``ct``.
        licence: of the weights.
    """

    folder: Path
    name: str
    version: str
    title: str
    task: str
    licence: str

    @property
    def card(self) -> str:
        """Text of the model card (Markdown); empty if there is none."""
        path = self.folder / CARD
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def read_header(folder: Path) -> BundleHeader:
    """Reads the head of a bundle; plan and weights may still be damaged.

    Raises:
        BundleError: there is no bundle, it is damaged, or its format is newer than this version.
    """
    return header_from(folder, read_manifest(folder))


def header_from(folder: Path, data: Mapping[str, Any]) -> BundleHeader:
    """Takes the head from what ``bundle.json`` holds; see ``read_header``."""
    try:
        return BundleHeader(folder, *(one_line(data[key]) for key in ("name", "version", "title", "task", "licence")))
    except (KeyError, TypeError, ValueError) as error:
        raise damaged_bundle(folder, "its header is incomplete") from error


def read_manifest(folder: Path) -> dict[str, Any]:
    """Returns what ``bundle.json`` holds; its ``format_version`` is one that this version reads.

    Raises:
        BundleError: there is no bundle, it is damaged, or its format is newer than this version.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(
            "There is no model bundle in the folder '{folder}' (no {file}).", folder=folder.name, file=MANIFEST
        )
    try:
        if path.stat().st_size > LARGEST_MANIFEST:
            raise ValueError("it is too large")
        data = json.loads(path.read_text(encoding="utf-8"))
        version = data["format_version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged_bundle(folder, f"{MANIFEST} cannot be read") from error
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise damaged_bundle(folder, "its format version is not a whole number")
    if version > FORMAT_VERSION:
        raise BundleError(
            "The bundle '{folder}' has format {version}; this KidneySeg reads up to {newest}. Update KidneySeg.",
            folder=folder.name,
            version=version,
            newest=FORMAT_VERSION,
        )
    return dict(data)


def one_line(value: Any) -> str:
    """Takes a text of one line.

    Raises:
        TypeError: it is not a text.
        ValueError: it is too long or holds control characters.
    """
    if not isinstance(value, str):
        raise TypeError("a text is needed")
    if len(value) > _LONGEST_TEXT or not value.isprintable():
        raise ValueError("a text is too long or holds control characters")
    return value


def damaged_bundle(folder: Path, reason: str) -> BundleError:
    """Returns the error on a bundle that cannot be used."""
    return BundleError(
        "The bundle '{folder}' is damaged ({reason}). Get the bundle again.", folder=folder.name, reason=reason
    )
