"""Finds the texts that are to be translated: ``python Testing/Python/languages/translatable_texts.py > kidneyseg.pot``.

A text is a literal in a call of a marker: ``_("…")``, ``N_("…")``, ``language.text("…")``, ``language.plural(…)``, and
in the catalogue of flags ``Sentence("…")``, ``counted("…", "…")``, and each text of ``warning("…", "…")``; and a
sentence of an error, ``InputError("…")``, in the rooms that work for a reading desk.
Babel's own search reads tokens, and takes the words after a function of such a name for texts (which ones differs from
version to version); Python's syntax tree knows a call from a definition and from a drawing of text at a place.
"""

from __future__ import annotations

import ast
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

MODULE = Path(__file__).resolve().parents[3] / "KidneySeg"
PACKAGE = Path(__file__).resolve().parents[3] / "KidneySegLib"
# rooms that speak to readers of results in their language
ROOMS = ("flags", "languages", "reporting")
# rooms and files whose errors nobody meets at a reading desk: training, archives, servers, options of commands
ENGLISH_ERRORS = (
    "bundles/archive.py",
    "click_server",
    "commands",
    "datasets",
    "deidentification",
    "evaluation",
    "follow_up",
    "networks/encoder_weights.py",
    "pacs",
    "training",
)
ERRORS = {"BundleError", "GeometryError", "InputError", "KidneySegError", "OutputError", "RegionError", "ResourceError"}
# calls whose literals are texts of their own, however many
EACH = 0
# how many literals a call of each marker begins with
MARKERS = {
    **{"_": 1, "N_": 1, "text": 1, "Sentence": 1, "plural": 2, "one_or_many": 2, "counted": 2},
    **dict.fromkeys(("info", "warning", "error"), EACH),
}


def texts_of(source: str, markers: dict[str, int] = MARKERS) -> Iterator[tuple[int, str | tuple[str, ...]]]:
    """Yields line and text, or line and the two texts of a plural, of every marked call."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        count = markers.get(getattr(node.func, "id", getattr(node.func, "attr", "")))
        if count is None:
            continue
        wanted = node.args if count == EACH else node.args[:count]
        literals = [a.value for a in wanted if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if count == EACH:
            yield from ((node.lineno, text) for text in literals)
        elif literals and len(literals) == count:
            yield node.lineno, literals[0] if len(literals) == 1 else tuple(literals)


def markers_in(place: Path) -> dict[str, int]:
    """Returns which calls mark texts in a file of the package, and how many literals of each."""
    markers = MARKERS if place.parts[0] in ROOMS else {"N_": 1}
    return markers if speaks_english(place) else {**markers, **dict.fromkeys(ERRORS, 1)}


def speaks_english(place: Path) -> bool:
    """Returns whether errors of a file of the package are told in English only."""
    return place.as_posix().startswith(ENGLISH_ERRORS)


def texts_by_place() -> Iterator[tuple[Path, int, str | tuple[str, ...]]]:
    """Yields file, line and text of every text of reports, flags, progress and errors."""
    for file in sorted(PACKAGE.rglob("*.py")):
        place = file.relative_to(PACKAGE)
        for line, text in texts_of(file.read_text(encoding="utf-8"), markers_in(place)):
            yield place, line, text


def texts_of_the_code() -> set[str | tuple[str, ...]]:
    """Returns every text."""
    return {text for _place, _line, text in texts_by_place()}


def texts_of_the_panel() -> set[str]:
    """Returns every text of the Slicer module: of its code, and of its ``.ui`` file, but for signs without a letter."""
    sources = (file.read_text(encoding="utf-8") for file in MODULE.rglob("*.py"))
    said = {str(text) for source in sources for _, text in texts_of(source, {"_": 1})}
    form = ElementTree.parse(MODULE / "Resources" / "UI" / "KidneySeg.ui")
    shown = (element.find("string") for element in form.iter("property"))
    texts = {each.text or "" for each in shown if each is not None and each.get("notr") != "true"}
    return said | {text for text in texts if any(letter.isalpha() for letter in text)}


def main() -> None:
    """Writes the template of the catalogues to the standard output; with the word ``panel`` that of Slicer's panel."""
    catalogue = Catalog(domain="kidneyseg")
    if sys.argv[1:] == ["panel"]:
        for text in sorted(texts_of_the_panel()):
            catalogue.add(text)
    else:
        for place, line, text in texts_by_place():
            catalogue.add(text, locations=[(f"{PACKAGE.name}/{place.as_posix()}", line)])
    write_po(sys.stdout.buffer, catalogue)


if __name__ == "__main__":
    main()
