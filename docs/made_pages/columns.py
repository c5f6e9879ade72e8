"""What the columns of ``measurements.csv`` and the keys of ``findings.json`` mean, told from the code itself.

The meanings are those of the findings' docstrings, so that they are written once. ``Resources/Tables/columns.md`` holds
the guide for readers without the code; ``python docs/made_pages/columns.py`` makes it.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from KidneySegLib.findings import (
    SCHEMA_VERSION,
    BundleRecord,
    Ellipsoid,
    Findings,
    FrameOutline,
    InputRecord,
    KidneyFinding,
    KidneyView,
    LesionFinding,
    Measures,
    PhaseEstimate,
    Provenance,
    Reading,
    RejectedFinding,
    StoneBurden,
    StoneFinding,
    ViewMeasures,
)
from KidneySegLib.flags import Flag
from KidneySegLib.result_files.tables import COLUMNS

GUIDE = Path(__file__).resolve().parents[2] / "Resources" / "Tables" / "columns.md"
UNITS = (
    (r"_ml$", "ml"),
    (r"_mm3$", "mm³"),
    (r"_mm2$", "mm²"),
    (r"_px(_[xy])?$|_pixels$", "pixels"),
    (r"^grey_", "0 to 255"),
    (r"_mm(_x)?$", "mm"),
    (r"^(voxel_)?hu_", "HU"),
    (r"_share$|^confidence$", "0 to 1"),
)
# Columns that are no attribute of a finding.
OWN_MEANINGS = {
    "structure": "key of the structure: kidney_right, kidney_left, mass, cyst, stone; kidney where no side is told",
    "name": "name of the structure",
    "label_value": "value in the label map",
    "volume_mm3": "the volume again, for what is small",
    "voxel_volume_ml": "of a stone: volume of its voxels",
    "voxel_length_mm": "of a stone: maximum diameter of its voxels",
    "voxel_hu_mean": "of a stone: mean of its voxels",
    "ellipsoid_volume_ml": "volume from two views, length × width × depth × π/6",
}
NESTED = (
    ("stone_burden[]", StoneBurden),
    ("views[].frames[]", FrameOutline),
    ("ellipsoid", Ellipsoid),
    ("phase", PhaseEstimate),
    ("rejected[]", RejectedFinding),
    ("flags[]", Flag),
    ("provenance", Provenance),
    ("provenance.input", InputRecord),
    ("provenance.bundles[]", BundleRecord),
)


def column_guide() -> str:
    """Returns the guide as Markdown."""
    columns = [f"| {names} | {unit} | {rows} | {meaning} |" for names, unit, rows, meaning in _columns()]
    keys = [f"| `{key}` | {meaning} |" for key, meaning in _keys()]
    return "\n".join(
        [
            "# Columns of measurements.csv, keys of findings.json",
            "",
            "Made from the code by `docs/made_pages/columns.py`. Names are stable: new ones are only",
            "added, at the end. Positions are patient coordinates (LPS: x to the left, y to the back, z to the head).",
            "",
            "## measurements.csv",
            "",
            "UTF-8, comma, decimal point; a cell is empty where a column does not apply or was not measurable.",
            "",
            "| column | unit | rows | meaning |",
            "|---|---|---|---|",
            *columns,
            "",
            f"## findings.json (schema version {SCHEMA_VERSION})",
            "",
            "`kidneys[]`, `lesions[]`, `stones[]` and `views[]` (kidneys on ultrasound) have the columns above as",
            "keys, without `name` and `label_value`; a position is a list `[x, y, z]`, a place in an ultrasound",
            "image `[column, row]`, `cut_at` a list. What is not known is `null`.",
            "",
            "| key | meaning |",
            "|---|---|",
            *keys,
            "",
        ]
    )


def unit_of(name: str) -> str:
    """Returns the unit that a column's or key's name tells."""
    return next((unit for pattern, unit in UNITS if re.search(pattern, name)), "")


def _columns() -> list[tuple[str, str, str, str]]:
    """Returns each column with its unit, the rows that it applies to and its meaning."""
    groups = (("kidneys", KidneyFinding), ("lesions", LesionFinding), ("stones", StoneFinding), ("views", KidneyView))
    told = {name: meanings(kind) for name, kind in groups}
    for name in ("lesions", "stones"):
        told[name] |= meanings(Reading)
    told["views"] |= meanings(ViewMeasures)
    placed, everywhere = [name for name, _ in groups[:3]], meanings(Measures)
    guide = []
    for column in COLUMNS:
        in_image = column.endswith(("_px_x", "_px_y"))
        if column.endswith(("_y", "_z")) and not in_image:  # told with _x
            continue
        base = column[:-2] if in_image else column.removesuffix("_x")
        where = [name for name, meaning in told.items() if base in meaning]
        if base in everywhere:
            special = told["stones"].get(base)
            meaning = everywhere[base] + (f"; of a stone: {special}" if special else "")
            where = [] if base in told["views"] else placed
        elif base in OWN_MEANINGS:
            meaning = OWN_MEANINGS[base]
            where = ["stones"] if base.startswith("voxel_") else ["lesions", "stones"] if base == "volume_mm3" else []
            where = ["views"] if base.startswith("ellipsoid_") else where
        else:
            meaning = told[where[0]][base]
        rows = "all" if len(where) in (0, len(groups)) else ", ".join(where)
        names = f"`{column}`, `…_y`, `…_z`" if column.endswith("_x") and not in_image else f"`{column}`"
        guide.append((names, unit_of(column), rows, meaning))
    return guide


def _keys() -> list[tuple[str, str]]:
    own = meanings(Findings)
    keys = [("schema_version", "version of this form")]
    keys += [(field.name, own[field.name]) for field in fields(Findings)]
    for prefix, kind in NESTED:
        keys += [(f"{prefix}.{name}", meaning) for name, meaning in meanings(kind).items()]
    return keys


def meanings(kind: type[Any]) -> dict[str, str]:
    """Returns the attributes of a dataclass with what its docstring says of them."""
    text = inspect.getdoc(kind) or ""
    section = re.search(r"Attributes:\n(.*?)(\n\S|\Z)", text, re.DOTALL)
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", section.group(1) if section else "", re.MULTILINE)
    plain = {name: " ".join(meaning.split()).rstrip(".").replace("``", "`") for name, meaning in entries}
    return {name: re.sub(r"\b(None|NaN)\b", "empty", meaning) for name, meaning in plain.items()}


if __name__ == "__main__":
    GUIDE.write_text(column_guide(), encoding="utf-8")
