"""Values of findings as JSON: rounded to what they can mean."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values as JSON types, rounded to what they can mean.

    Millilitres and cubic millimetres get three decimals, millimetres and pixels two, HU, grey values and square
    millimetres one, shares and confidences three; the
    grid itself (spacing, direction, origin) keeps six, so that it can be told from another. NaN, a number that cannot
    be known (the volume of a single slice), becomes null.
    """
    return {name: _rounded(name, value) for name, value in values.items()}


def _rounded(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_rounded(name, item) for item in value]
    if not isinstance(value, float):
        return value
    if math.isnan(value):
        return None
    if name in ("spacing_mm", "direction", "origin_lps_mm"):
        return round(value, 6)
    if name.endswith(("_ml", "_mm3", "_share", "confidence")):
        return round(value, 3)
    if name.endswith(("_mm", "_px")):
        return round(value, 2)
    return round(value, 1) if name.startswith(("hu_", "voxel_hu_", "grey_")) or name.endswith("_mm2") else value


def build(kind: type[T], values: Mapping[str, Any]) -> T:
    """Makes a flat dataclass from JSON values; keys that it does not have are left aside, lists become tuples."""

    def stored(name: str, annotation: object) -> Any:
        value = values[name]
        if isinstance(value, list):
            return tuple(number(item) for item in value)
        return number(value) if annotation == "float" else value

    return kind(**{f.name: stored(f.name, f.type) for f in fields(kind)})  # type: ignore[arg-type]


def number(value: Any) -> Any:
    """Returns a number that was stored; null is one that cannot be known."""
    return math.nan if value is None else value
