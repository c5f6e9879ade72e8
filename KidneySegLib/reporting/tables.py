"""Measurements as a table.

Columns of ``measurements.csv``, one row per kidney: ``structure`` (key), ``name``, ``side`` (the patient's),
``label_value`` (in the label map), ``cut_at`` (where the image ends within it, empty if it is whole), then the measures
of :class:`KidneySegLib.findings.Measures` under their own names with their units; points take three columns with the
ending ``_x``, ``_y``, ``_z`` (mm LPS). New columns are only ever added at the end.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from KidneySegLib.findings import Findings, KidneyFinding
from KidneySegLib.structures import KIDNEYS

COLUMNS = (
    "structure",
    "name",
    "side",
    "label_value",
    "cut_at",
    "voxels",
    "volume_ml",
    "length_mm",
    "axial_diameter_mm",
    "perpendicular_mm",
    "axial_slice",
    "hu_mean",
    "hu_sd",
    "hu_min",
    "hu_max",
    "hu_p05",
    "hu_p50",
    "hu_p95",
    *(
        f"{point}_lps_mm_{axis}"
        for point in (
            "centroid",
            "length_start",
            "length_end",
            "axial_start",
            "axial_end",
            "perpendicular_start",
            "perpendicular_end",
        )
        for axis in "xyz"
    ),
)


def write_measurements(path: Path, findings: Findings) -> None:
    """Writes ``measurements.csv``.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(_row(kidney) for kidney in findings.kidneys)


def _row(kidney: KidneyFinding) -> dict[str, Any]:
    structure = KIDNEYS[kidney.side]
    row: dict[str, Any] = {"name": structure.name, "label_value": structure.label}
    for name, value in kidney.to_dict().items():
        if name == "cut_at":
            row[name] = " ".join(value)
        elif isinstance(value, list):
            row.update({f"{name}_{axis}": coordinate for axis, coordinate in zip("xyz", value, strict=True)})
        else:
            row[name] = value
    return row
