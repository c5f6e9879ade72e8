"""The reference of flags, told from their catalogue; ``python docs/made_pages/flags.py`` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from KidneySegLib.flags.catalogue import ROOMS
from KidneySegLib.flags.kinds import FlagKind

PAGE = Path(__file__).resolve().parents[1] / "reference" / "flags.md"


def flag_guide() -> str:
    """Returns the guide as Markdown."""
    lines = [
        "# Flags",
        "",
        "A flag tells a reader what was repaired, assumed or left out, or what needs a look. `findings.json` lists",
        "flags under `flags`, each with a stable `code`, a `severity`, its `values` by name, and the sentence in",
        "English as `message`. Reports and the Slicer module say the same sentence in their language. A flag from a",
        "result of an earlier version has no values but `text`, its sentence, which is shown as it is.",
        "",
        "Severities: `info` (nothing to do), `warning` (look at it), `error` (the result is not to be relied on).",
        "",
        "A field in braces is the value of that name. A value that stands in no sentence chooses the sentence.",
        "Sides are the header's only (`header-right`, `header-left`) where the anatomy contradicts the header.",
        "",
        "Made from the code by `docs/made_pages/flags.py`.",
        "",
    ]
    for room, kinds in ROOMS.items():
        lines += [f"## {room}", ""]
        for code, kind in kinds.items():
            lines += [f"### `{code}` ({kind.severity.value})", "", *_sentences(kind), "", *_values(kind)]
    return "\n".join(lines)


def _sentences(kind: FlagKind) -> Iterator[str]:
    for sentence in kind.sentences:
        yield f"- {' / '.join(sentence.texts)}"


def _values(kind: FlagKind) -> Iterator[str]:
    if kind.values:
        yield from ("| value | unit or meaning |", "|---|---|")
        for name, value in kind.values.items():
            yield f"| `{name}` | {value.told} |"
        yield ""


if __name__ == "__main__":
    PAGE.write_text(flag_guide(), encoding="utf-8")
