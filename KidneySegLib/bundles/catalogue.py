"""Where bundles lie and which one is meant."""

import os
from collections.abc import Iterator
from pathlib import Path

from KidneySegLib.bundles.bundle import Bundle, read_bundle
from KidneySegLib.bundles.header import MANIFEST, read_header
from KidneySegLib.errors import BundleError
from KidneySegLib.resources import resource_folder

MODELS_VARIABLE = "KIDNEYSEG_MODELS"


def model_folders() -> list[Path]:
    """Returns the folders that hold bundles: the user's (``KIDNEYSEG_MODELS``) first, then those that ship."""
    own = os.environ.get(MODELS_VARIABLE)
    return [*([Path(own)] if own else []), resource_folder() / "Models"]


def bundle_folders() -> Iterator[Path]:
    """Yields every folder that holds a bundle, also a damaged one; an own bundle hides a shipped one of its name."""
    seen: set[str] = set()
    for parent in model_folders():
        if not parent.is_dir():
            continue
        for folder in sorted(parent.iterdir()):
            if (folder / MANIFEST).is_file() and folder.name not in seen:
                seen.add(folder.name)
                yield folder


def find_bundle(name: str | None, task: str) -> Bundle:
    """Returns the bundle that the user means.

    Args:
        name: a bundle's name, or a path to its folder; None takes the first one for ``task``.
        task: what it must be for.

    Raises:
        BundleError: there is none, or it is for another task.
    """
    if name is None:
        for folder in bundle_folders():
            if read_header(folder).task == task:
                return read_bundle(folder)
        raise BundleError("No model bundle for the task '{task}' is installed. See 'kidneyseg models'.", task=task)
    folder = next((f for f in bundle_folders() if f.name == name), Path(name))
    header = read_header(folder)
    if header.task != task:
        raise BundleError(
            "The bundle '{bundle}' is for the task '{of}', not for '{task}'.",
            bundle=header.name,
            of=header.task,
            task=task,
        )
    return read_bundle(folder)
