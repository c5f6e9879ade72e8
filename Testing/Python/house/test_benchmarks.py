"""The arithmetic of the benchmarks; no time is measured here."""

from __future__ import annotations

import json
from pathlib import Path

from Benchmarks.code_lines import code_lines, read_headings
from Benchmarks.engine_runs import EngineTime, PairedRuns, ratios
from Benchmarks.ultrasound_ablation import prepare
from Benchmarks.way_of_an_exam import Handover, returns


def test_ratios_are_of_the_smallest_figures_and_of_each_round() -> None:
    def run(wall: float, memory: float) -> EngineTime:
        return EngineTime(wall, 2 * wall, memory, {}, "cpu", "float32")

    pair = PairedRuns(
        129, this=[run(9.0, 1.0), run(8.0, 1.2), run(30.0, 1.1)], other=[run(10, 2), run(16, 2), run(12, 2)]
    )
    assert ratios(pair) == [
        ["512x512x129", "seconds", "10.000", "8.000", "0.800", "0.900"],
        ["512x512x129", "seconds of processors", "20.000", "16.000", "0.800", "0.900"],
        ["512x512x129", "peak memory, GB", "2.000", "1.000", "0.500", "0.550"],
    ]


def test_lines_of_code_are_neither_blank_nor_comments_nor_docstrings() -> None:
    text = [
        *('"""A module,', 'in two lines."""', "", "# why", "LIMIT = (", "    3,  # of these", ")", ""),
        *("def f():", '    """Says it."""', '    return "text"', ""),
    ]
    assert code_lines("\n".join(text)) == 5


def test_commits_have_the_heading_above_them(tmp_path) -> None:
    path = tmp_path / "commits.txt"
    path.write_text("the house itself\n8ee4f58 Flags are data\nc4bc6b1 English\n\nultrasound\n502b219 Ultrasound\n")
    assert read_headings(path) == {
        "8ee4f58": "the house itself",
        "c4bc6b1": "the house itself",
        "502b219": "ultrasound",
    }


def test_an_exam_returns_where_it_was_and_has_left() -> None:
    way = [("run", "reader"), ("reader", "grid"), ("run", "pipeline"), ("run", "pipeline"), ("pipeline", "grid")]
    assert returns([Handover(caller, line, file, "f") for line, (caller, file) in enumerate(way)]) == {4}


def test_the_ablation_holds_out_studies_with_all_their_frames(tmp_path: Path) -> None:
    source = tmp_path / "ultrasound"
    entries = [{"image": f"{n}.png", "study": f"t10{n}"} for n in range(10)]
    for kind in ("train/images", "train/masks", "unlabelled", "kidneyus_masks"):
        (source / kind).mkdir(parents=True)
    (source / "train" / "frames.json").write_text(json.dumps(entries), encoding="utf-8")
    for entry in entries:
        for kind in ("train/images", "train/masks"):
            (source / kind / entry["image"]).touch()
        (source / "unlabelled" / f"loop_{entry['study'][1:]}_7.jpg").touch()
    folder = prepare(tmp_path, tmp_path / "work")
    names = {name: {file.name for file in (folder / name / "images").iterdir()} for name in ("learn", "held")}
    assert names["held"] == {"2.png", "7.png"}
    assert names["learn"] == {entry["image"] for entry in entries} - names["held"]
    free = {file.name for file in (folder / "unlabelled").iterdir()}
    assert len(free) == 8 and not free & {"loop_102_7.jpg", "loop_107_7.jpg"}
