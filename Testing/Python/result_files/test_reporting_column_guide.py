"""The guide to the result's columns is complete, and the file is the one that the code makes."""

from __future__ import annotations

import json

import pytest
from made_pages.columns import GUIDE, column_guide, unit_of
from report_cases import case

from KidneySegLib.result_files.tables import COLUMNS


def test_the_file_is_up_to_date() -> None:
    assert GUIDE.read_text(encoding="utf-8") == column_guide()


def rows() -> list[list[str]]:
    lines = [line for line in column_guide().splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_column_is_told_with_unit_and_meaning() -> None:
    told = {}
    for names, *rest in (row for row in rows() if len(row) == 4):
        first = names.split("`")[1]
        for name in (first, first[:-1] + "y", first[:-1] + "z") if "…" in names else (first,):
            told[name] = rest
    assert tuple(sorted(told)) == tuple(sorted(COLUMNS))
    assert all(meaning for _, _, meaning in told.values())
    assert told["volume_ml"][0] == "ml" and told["centroid_lps_mm_y"][0] == "mm" and told["voxel_hu_mean"][0] == "HU"
    assert (
        told["location"][1] == "stones"
        and told["exophytic_share"][1] == "lesions"
        and told["hu_sd"][1] == "kidneys, lesions, stones"
    )


def test_every_key_of_the_findings_is_told() -> None:
    findings = json.loads(case()[2].to_json())
    told = {row[0].strip("`") for row in rows() if len(row) == 2}
    assert set(findings) <= told
    for key in ("stone_burden", "flags"):
        assert {f"{key}[].{name}" for name in findings[key][0]} <= told
    assert {f"phase.{name}" for name in findings["phase"]} <= told
    assert {f"provenance.{name}" for name in findings["provenance"]} <= told
    assert {f"provenance.bundles[].{name}" for name in findings["provenance"]["bundles"][0]} <= told
    for key in ("kidneys", "lesions", "stones"):
        columns = {name.removesuffix("_x") for name in COLUMNS}
        assert set(findings[key][0]) <= columns


@pytest.mark.parametrize(
    ("name", "unit"),
    [("organ_volume_ml", "ml"), ("volume_mm3", "mm³"), ("hu_peak", "HU"), ("pole", ""), ("confidence", "0 to 1")],
)
def test_units_follow_from_names(name: str, unit: str) -> None:
    assert unit_of(name) == unit
