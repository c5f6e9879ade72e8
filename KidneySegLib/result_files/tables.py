"""Measurements as a table.

Columns of ``measurements.csv``, one row per kidney, solid mass, cyst and stone: ``structure`` (key), ``name``, ``side``
(the patient's; ``header-right`` or ``header-left`` where the anatomy contradicts the image's header), ``label_value``
(in the label map), ``cut_at`` (where the image ends within it, empty if it is whole), then the measures of
:class:`KidneySegLib.findings.Measures` under their own names with their units; points take three columns with the
ending ``_x``, ``_y``, ``_z`` (mm LPS). Further columns are those of the findings' own attributes; a cell is empty where
a column does not apply or could not be measured. A kidney's row is its parenchyma, ``organ_...`` includes its lesions;
a stone's ``volume_ml``, ``length_mm`` and ``hu_mean`` regard partial volume, ``voxel_...`` do
not. What a reader rejected has no row; ``findings.json`` lists it. A kidney in an ultrasound image has one plane:
``length_mm``, ``width_mm`` and ``area_mm2`` where the size of a pixel is known, else ``length_px``, ``width_px`` and
``outline_pixels``; its places are columns (x) and rows (y). New columns are only ever added at the end.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from KidneySegLib.findings import Finding, Findings, KidneyFinding, KidneyView, side_word
from KidneySegLib.structures import BY_KEY, KIDNEYS

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
    "id",
    "pole",
    "location",
    "volume_mm3",
    "organ_volume_ml",
    "organ_length_mm",
    "sinus_distance_mm",
    "capsule_distance_mm",
    "exophytic_share",
    "confidence",
    "hu_peak",
    "below_resolution",
    "skin_distance_mm",
    "voxel_volume_ml",
    "voxel_length_mm",
    "voxel_hu_mean",
    "length_at_least_mm",
    "organ_length_at_least_mm",
    "state",
    "reader_name",
    "was",
    "frame",
    "outline_pixels",
    "width_mm",
    "area_mm2",
    "length_px",
    "width_px",
    "length_at_least_px",
    *(f"{point}_px_{axis}" for point in ("length_start", "length_end", "width_start", "width_end") for axis in "xy"),
    "grey_mean",
    "grey_sd",
    "ellipsoid_volume_ml",
)


def write_measurements(path: Path, findings: Findings) -> None:
    """Writes ``measurements.csv``.

    Raises:
        OSError: the file cannot be written.
    """
    volume = findings.ellipsoid.to_dict()["volume_ml"] if findings.ellipsoid else None
    views = ({**_view_row(view), "ellipsoid_volume_ml": volume} for view in findings.views)
    _write(path, [*map(_row, findings.placed), *views])


def write_candidates(path: Path, findings: Findings) -> None:
    """Writes ``candidates.csv``: masses and cysts below the operating point, with the same columns.

    Raises:
        OSError: the file cannot be written.
    """
    _write(path, map(_row, findings.candidates))


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)


def _row(finding: Finding) -> dict[str, Any]:
    values = finding.to_dict()
    if isinstance(finding, KidneyFinding):
        name, label = f"{side_word(finding).capitalize()} kidney", KIDNEYS[finding.side].label
    else:
        name, label = BY_KEY[values["structure"]].name, BY_KEY[values["structure"]].label
    row: dict[str, Any] = {"name": name, "label_value": label}
    for name, value in values.items():
        if name == "cut_at":
            row[name] = " ".join(value)
        elif isinstance(value, list):
            row.update({f"{name}_{axis}": coordinate for axis, coordinate in zip("xyz", value, strict=False)})
        elif isinstance(value, bool):
            row[name] = "yes" if value else "no"
        else:
            row[name] = value  # None becomes an empty cell
    return row


def _view_row(view: KidneyView) -> dict[str, Any]:
    """Returns a row without what belongs to the frames of a loop."""
    row = _row(replace(view, frames=()))
    return {name: value for name, value in row.items() if name in COLUMNS}
