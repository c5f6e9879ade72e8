"""Sphinx's settings: ``sphinx-build -W docs build/docs`` makes the pages, without a network connection."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from KidneySegLib import __version__  # noqa: E402  (the checkout goes before an installed copy)

project = "KidneySeg"
copyright = "KidneySeg contributors"
author = "KidneySeg contributors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = False
# a link to a heading that does not exist is a warning, and -W makes it an error
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_block"]
suppress_warnings = ["myst.header"]  # a page that another one includes may begin below the first level

html_theme = "furo"
html_title = f"KidneySeg {version}"
html_show_sourcelink = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# networks and images are not needed to read docstrings
autodoc_mock_imports = ["monai", "SimpleITK"]


def _command_line_help() -> str:
    """Returns the help of all commands as Markdown, written by typer from the commands themselves."""
    run = subprocess.run(
        [sys.executable, "-m", "typer", "KidneySegLib.commands.app", "utils", "docs", "--name", "kidneyseg"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    _title, _, rest = run.stdout.partition("\n")
    return rest


def _rooms() -> str:
    """Returns a table of the engine's packages with the first line of their docstrings."""
    rows = []
    for path in sorted((ROOT / "KidneySegLib").rglob("__init__.py")):
        room = path.parent.relative_to(ROOT / "KidneySegLib").as_posix()
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if room != ".":
            rows.append(f"| `{room}` | {text.partition(chr(10))[0]} |")
    return "\n".join(["| room | content |", "|---|---|", *rows])


# what stands in the code is put where a page has the mark; nothing is written into the sources
_MADE_FROM_CODE = {
    "reference/commands": ("<!-- commands -->", _command_line_help),
    "explanation/how-it-works": ("<!-- rooms -->", _rooms),
}


def _fill_in(app: Sphinx, page: str, source: list[str]) -> None:
    """Puts what is made from the code into its page."""
    if page in _MADE_FROM_CODE:
        mark, make = _MADE_FROM_CODE[page]
        if mark not in source[0]:
            raise ValueError(f"{page}.md has no line {mark}: a part would be missing.")
        source[0] = source[0].replace(mark, make())


def setup(app: Sphinx) -> None:
    """Registers what this file adds to Sphinx."""
    app.connect("source-read", _fill_in)
