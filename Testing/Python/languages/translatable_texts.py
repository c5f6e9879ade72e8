"""Finds the texts that are to be translated: ``python Testing/Python/languages/translatable_texts.py > kidneyseg.pot``.

A text is a literal in a call of a marker: ``_("…")``, ``N_("…")``, ``language.text("…")``, ``language.plural(…)``, and
in the catalogue of flags ``Sentence("…")``, ``counted("…", "…")``, and each text of ``warning("…", "…")``.
Babel's own search reads tokens, and takes the words after a function of such a name for texts (which ones differs from
version to version); Python's syntax tree knows a call from a definition and from a drawing of text at a place.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

PACKAGE = Path(__file__).resolve().parents[3] / "KidneySegLib"
# rooms that speak to readers of results in their language
ROOMS = ("flags", "languages", "reporting")
# how many literals a call of each marker begins with
MARKERS = {"_": 1, "N_": 1, "text": 1, "Sentence": 1, "plural": 2, "one_or_many": 2, "counted": 2}
# calls whose literals are texts of their own, however many
SEVERITIES = {"info", "warning", "error"}


def texts_of(source: str) -> Iterator[tuple[int, str | tuple[str, ...]]]:
    """Yields line and text, or line and the two texts of a plural, of every marked call."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        wanted = node.args if name in SEVERITIES else node.args[: MARKERS.get(name, 0)]
        literals = [a.value for a in wanted if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if name in SEVERITIES:
            yield from ((node.lineno, text) for text in literals)
        elif literals and len(literals) == MARKERS[name]:
            yield node.lineno, literals[0] if len(literals) == 1 else tuple(literals)


def files_with_texts() -> list[Path]:
    """Returns the modules that may hold texts."""
    return sorted(file for room in ROOMS for file in (PACKAGE / room).rglob("*.py"))


def texts_of_the_code() -> set[str | tuple[str, ...]]:
    """Returns every text of reports and flags."""
    return {text for file in files_with_texts() for _, text in texts_of(file.read_text(encoding="utf-8"))}


def main() -> None:
    """Writes the template of the catalogues to the standard output."""
    catalogue = Catalog(domain="kidneyseg")
    for file in files_with_texts():
        for line, text in texts_of(file.read_text(encoding="utf-8")):
            catalogue.add(text, locations=[(file.relative_to(PACKAGE.parent).as_posix(), line)])
    write_po(sys.stdout.buffer, catalogue)


if __name__ == "__main__":
    main()
