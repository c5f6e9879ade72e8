"""Writes a recipe as a TOML file that a person can read and change."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from KidneySegLib.errors import OutputError
from KidneySegLib.training.recipe import Recipe

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def write_recipe(recipe: Recipe, path: Path, about: str) -> None:
    """Writes a recipe; what has its default is left out.

    Args:
        recipe: what is written.
        path: of the file.
        about: lines of text that stand at its top as comments.

    Raises:
        OutputError: it cannot be written.
    """
    data = recipe.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    text = "".join(f"# {line}".rstrip() + "\n" for line in about.splitlines())
    text += "\n".join(_table(data, ())) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError("The recipe could not be written. Check the folder and the space on its disk.") from error


def _table(data: Mapping[str, Any], name: tuple[str, ...]) -> Iterator[str]:
    """Yields the lines of a table, and of those in it."""
    if name:
        yield f"\n[{'.'.join(map(_key, name))}]"
    for key, value in data.items():
        if not isinstance(value, Mapping):
            yield f"{_key(key)} = {_value(value)}"
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _table(value, (*name, key))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value) if isinstance(value, float) else json.dumps(value)
