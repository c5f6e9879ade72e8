"""A dimension that the image cuts is never told as a length: only how much of it is seen."""

from __future__ import annotations

import csv
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from lesion_cases import ball, draw, grid, kidneys
from reporting_cases import findings_of

from KidneySegLib.commands.summary import summarise
from KidneySegLib.findings import Findings
from KidneySegLib.follow_up.comparison import Prior, compare
from KidneySegLib.interchange.codes import LENGTH, LONG_AXIS, VOLUME
from KidneySegLib.interchange.measurements import numbers_of
from KidneySegLib.languages.language import Language
from KidneySegLib.reporting.content.changes import change_table
from KidneySegLib.reporting.content.facts import summary
from KidneySegLib.reporting.content.tables import findings_tables
from KidneySegLib.result_files.tables import write_measurements
from KidneySegLib.structures import Side
from KidneySegLib.volume import AxisOrder, Volume

ENGLISH = Language.of("en")
STONE = 5
MASS = (3, ball((-70.0, 8.0, 30.0), 12.0))


def whole() -> tuple[Volume, np.ndarray]:
    """Kidneys of 110 mm, a mass of 24 mm in the right one; voxels of 1.5, 1.5, 2 mm."""
    volume = grid((1.5, 1.5, 2.0), (240.0, 120.0, 180.0))
    return volume, draw(volume, [*kidneys(), MASS])


def slab(first: int, last: int) -> tuple[Volume, np.ndarray]:
    volume, labels = whole()
    box = (slice(first, last), slice(0, labels.shape[1]), slice(0, labels.shape[2]))
    return volume.crop(box), np.ascontiguousarray(labels[box])


@pytest.fixture(scope="module")
def thin() -> Findings:
    """16 slices, 32 mm, through both kidneys and the mass."""
    return findings_of(*slab(50, 66))


def test_a_slab_of_32_mm_holds_no_kidney_of_64_mm(thin: Findings) -> None:
    for kidney in thin.kidneys:
        assert set(kidney.cut_at) == {"feet", "head"}
        assert math.isnan(kidney.measures.length_mm) and math.isnan(kidney.organ_length_mm)
        assert kidney.length_at_least_mm == kidney.organ_length_at_least_mm == pytest.approx(32.0)
        assert kidney.measures.axial_diameter_mm > 40  # what was told as the length
        (flag,) = [f for f in thin.flags if f.code == "kidney_cut" and kidney.side.value in f.message]
        assert "32 mm are seen" in flag.message


def test_a_whole_kidney_keeps_its_length() -> None:
    for kidney in findings_of(*whole()).kidneys:
        assert kidney.measures.length_mm == pytest.approx(110, abs=2)
        assert kidney.length_at_least_mm is None and kidney.organ_length_at_least_mm is None


def test_the_axis_that_is_seen_is_the_bodys_in_every_order_of_storage() -> None:
    volume, labels = slab(50, 66)
    for permutation, flipped in itertools.product(
        itertools.permutations(range(3)), [(False,) * 3, (True, False, True)]
    ):
        order = AxisOrder(permutation, flipped)  # type: ignore[arg-type]
        found = findings_of(volume.reordered(order), np.ascontiguousarray(order.apply(labels)))
        assert [kidney.length_at_least_mm for kidney in found.kidneys] == pytest.approx([32.0, 32.0])


def test_a_kidney_that_ends_at_the_side_of_the_image_has_no_length_either() -> None:
    volume, labels = whole()
    columns = np.flatnonzero((labels == 1).any(axis=(0, 1)))
    box = (slice(0, labels.shape[0]), slice(0, labels.shape[1]), slice(int(columns[8]), labels.shape[2]))
    right = findings_of(volume.crop(box), np.ascontiguousarray(labels[box])).kidneys[0]
    assert right.cut_at == ("right side",)
    assert math.isnan(right.measures.length_mm)
    assert right.length_at_least_mm == pytest.approx(110, abs=4)


def test_a_lesion_that_is_cut_has_no_3d_diameter_but_one_that_it_has_at_least(thin: Findings) -> None:
    (mass,) = thin.lesions
    assert mass.cut_at and math.isnan(mass.measures.length_mm)
    assert mass.length_at_least_mm == mass.longest_mm and 15 < mass.longest_mm < 26
    (uncut,) = findings_of(*whole()).lesions
    assert uncut.length_at_least_mm is None and uncut.longest_mm == uncut.measures.length_mm


def test_json_and_csv_hold_no_length_and_no_line_of_it(thin: Findings, tmp_path: Path) -> None:
    values = json.loads(thin.to_json())
    for finding in (*values["kidneys"], *values["lesions"]):
        assert finding["length_mm"] is None and finding["length_at_least_mm"] > 0
        assert finding["length_start_lps_mm"] == finding["length_end_lps_mm"] == [None] * 3
    assert Findings.from_json(thin.to_json()).to_json() == thin.to_json()
    for finding in (*values["kidneys"], *values["lesions"]):  # as versions before wrote them
        for key in ("length_at_least_mm", "organ_length_at_least_mm"):
            finding.pop(key, None)
    assert Findings.from_json(json.dumps(values)).kidneys[0].length_at_least_mm is None
    write_measurements(tmp_path / "m.csv", thin)
    rows = list(csv.DictReader((tmp_path / "m.csv").open(encoding="utf-8")))
    assert [row["length_mm"] for row in rows] == ["", "", ""]
    assert [float(row["length_at_least_mm"]) for row in rows[:2]] == [32.0, 32.0]


def test_report_and_terminal_say_at_least(thin: Findings, capsys: pytest.CaptureFixture[str]) -> None:
    table = findings_tables(thin, ENGLISH, 9)[0]
    assert [row[3] for row in table.rows] == [row[4] for row in table.rows] == ["\u2265 32"] * 2
    assert "\u2265 32 mm" in " ".join(summary(thin, ENGLISH))
    summarise(thin)
    said = capsys.readouterr().out
    assert said.count("length at least 32 mm") == 2 and "nan" not in said


def test_structured_report_claims_no_size_that_the_image_cuts(thin: Findings) -> None:
    for finding in (*thin.kidneys, *thin.lesions):
        names = [number.name for number in numbers_of(finding)]
        assert LONG_AXIS in names and not {LENGTH, VOLUME} & set(names)


def test_nothing_is_said_about_the_change_of_what_is_cut(thin: Findings) -> None:
    volume, labels = whole()
    before = Prior(volume.like(labels), findings_of(volume, labels), 100)
    cut, cut_labels = slab(50, 66)
    found = compare(cut.like(cut_labels), thin, before)
    for side in found.sides:
        assert side.organ_volume_ml.cut == (False, True)
        assert side.organ_volume_ml.absolute is None and side.organ_volume_ml.per_year is None
    (lesion,) = [change for change in found.lesions if change.now]
    assert lesion.axial_diameter_mm.absolute is None and lesion.doubling_days is None
    table = change_table(found, ENGLISH, 9)
    assert [row[2][:2] for row in table.rows[:2]] == ["\u2265 "] * 2 and not table.rows[0][1].startswith("\u2265")
    assert any("its change is not known" in note for note in table.notes)
    assert Side.RIGHT in {side.side for side in found.sides}


def staghorn(first: int, last: int) -> tuple[Volume, np.ndarray]:
    """Slices of kidneys of 60 HU; a stone of 18 x 18 x 60 mm and 900 HU in the right one, a small whole one left."""
    volume, labels = whole()
    for label, half in ((1, (15, 6, 6)), (2, (2, 2, 2))):
        k, j, i = (int(n) for n in np.argwhere(labels == label).mean(axis=0).round())
        box = tuple(slice(at - size, at + size) for at, size in zip((k, j, i), half, strict=True))
        labels[box] = STONE
    voxels = np.select([labels == STONE, labels > 0], [900, 60], -100).astype(np.int16)
    box = (slice(first, last), slice(0, labels.shape[1]), slice(0, labels.shape[2]))
    return volume.like(voxels).crop(box), np.ascontiguousarray(labels[box])


@pytest.fixture(scope="module")
def cut_stone() -> Findings:
    volume, labels = staghorn(0, 120)
    slices = np.flatnonzero((labels == STONE).any(axis=(1, 2)))
    return findings_of(*staghorn(int(slices[10]), 120))  # 20 of 30 slices: 40 of 60 mm


def test_a_stone_at_the_end_of_the_image_has_no_length_but_one_that_it_has_at_least(cut_stone: Findings) -> None:
    long, small = cut_stone.stones
    assert long.cut_at == ("feet",) and long.length_mm is None and math.isnan(long.measures.length_mm)
    assert long.length_at_least_mm == long.longest_mm == pytest.approx(math.hypot(40, 18, 18), abs=5)
    assert small.cut_at == () and small.length_at_least_mm is None and small.length_mm == small.longest_mm
    (whole_one, _) = findings_of(*staghorn(0, 120)).stones
    assert whole_one.length_at_least_mm is None
    assert whole_one.length_mm == pytest.approx(math.hypot(60, 18, 18), abs=5)
    right, left = cut_stone.stone_burden
    assert (right.largest_mm, right.cut, left.cut) == (long.longest_mm, True, False)
    (flag,) = [flag for flag in cut_stone.flags if flag.code == "stone_cut"]
    assert flag.message == (
        f"Stone S1 (right kidney, {'between the poles' if long.pole == 'inter' else long.pole + ' pole'}) reaches the "
        "end of the image towards the feet: it may be larger than measured."
    )
    assert flag.said(Language.of("es")).startswith("Cálculo S1 (riñón derecho")


def test_all_that_is_written_of_a_stone_says_at_least(
    cut_stone: Findings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long, small = cut_stone.stones
    seen = f"{long.longest_mm:.1f}"
    stored = json.loads(cut_stone.to_json())
    assert stored["stones"][0]["length_mm"] is None and stored["stones"][0]["cut_at"] == ["feet"]
    assert Findings.from_json(cut_stone.to_json()).to_json() == cut_stone.to_json()
    for stone in stored["stones"]:  # as versions before wrote them
        del stone["cut_at"], stone["length_at_least_mm"]
    for burden in stored["stone_burden"]:
        del burden["cut"]
    assert Findings.from_json(json.dumps(stored)).stones[0].cut_at == ()
    write_measurements(tmp_path / "m.csv", cut_stone)
    row = list(csv.DictReader((tmp_path / "m.csv").open(encoding="utf-8")))[-2]
    assert (row["structure"], row["length_mm"], row["cut_at"]) == ("stone", "", "feet")
    assert float(row["length_at_least_mm"]) == pytest.approx(long.longest_mm, abs=0.01)
    table = findings_tables(cut_stone, ENGLISH, 9)[-1]
    assert [r[3] for r in table.rows[:2]] == [f"\u2265 {seen}"] * 2 and table.rows[0][4].startswith("\u2265 ")
    assert not any(cell.startswith("\u2265") for r in table.rows[2:] for cell in r)
    assert any(note.startswith("\u2265") for note in table.notes)
    assert f"\u2265 {seen} mm" in " ".join(summary(cut_stone, ENGLISH))
    summarise(cut_stone)
    assert f"length at least {seen} mm" in capsys.readouterr().out
    assert not {LENGTH, VOLUME} & {number.name for number in numbers_of(long)}
    assert {LENGTH, VOLUME} <= {number.name for number in numbers_of(small)}


def test_nothing_is_said_about_the_change_of_a_stone_that_is_cut(cut_stone: Findings) -> None:
    volume, labels = staghorn(0, 120)
    found = compare(volume.like(labels), findings_of(volume, labels), Prior(volume.like(labels), cut_stone, 100))
    right, left = found.sides
    assert right.stone_volume_ml.cut == (True, False) and right.stone_volume_ml.absolute is None
    assert left.stone_volume_ml.absolute is not None
