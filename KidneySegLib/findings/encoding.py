"""Values of findings as JSON: rounded to what they can mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values as JSON types, rounded to what they can mean.

    Millilitres and cubic millimetres get three decimals, millimetres two, HU one, shares and confidences three; the
    grid itself (spacing, direction, origin) keeps six, so that it can be told from another.
    """
    return {name: _rounded(name, value) for name, value in values.items()}


def _rounded(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_rounded(name, item) for item in value]
    if not isinstance(value, float):
        return value
    if name in ("spacing_mm", "direction", "origin_lps_mm"):
        return round(value, 6)
    if name.endswith(("_ml", "_mm3", "_share", "confidence")):
        return round(value, 3)
    if name.endswith("_mm"):
        return round(value, 2)
    return round(value, 1) if name.startswith(("hu_", "voxel_hu_")) else value


def build(kind: type[T], values: Mapping[str, Any]) -> T:
    """Makes a flat dataclass from JSON values; keys that it does not have are left aside, lists become tuples."""
    names = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: tuple(values[name]) if isinstance(values[name], list) else values[name] for name in names})
