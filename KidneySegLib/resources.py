"""The files that come with KidneySeg: models, terminology, recipes, pages."""

from base64 import b64encode
from pathlib import Path
from typing import Any

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


def rendered(template: str, **values: Any) -> str:
    """Returns a page of ``Resources/Report`` as one self-contained HTML text; what it is given is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(resource_folder() / "Report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["base64"] = lambda data: b64encode(data).decode("ascii")
    return environment.get_template(template).render(**values)
