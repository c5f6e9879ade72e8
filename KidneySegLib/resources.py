"""Where the files lie that come with KidneySeg: models, terminology, recipes."""

from __future__ import annotations

from pathlib import Path

from KidneySegLib.errors import KidneySegError


def resource_folder() -> Path:
    """Returns the folder ``Resources``.

    It lies inside the package in a wheel, and beside it in a checkout or a built Slicer extension.

    Raises:
        KidneySegError: the folder is missing.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "Resources", package.parent / "Resources"):
        if (folder / "Terminology").is_dir():
            return folder
    raise KidneySegError("KidneySeg's resource files are missing. Install KidneySeg again.")
