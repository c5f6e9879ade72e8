"""The battery of bad series, every fourth case, with a fixed seed: a right volume or one clear sentence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from Fuzz.battery import battery
from Fuzz.case import FAULTS, Case, Expected, Outcome
from Fuzz.command_line import run_command_line
from Fuzz.truth import TRUTH, field, write
from Fuzz.worker import run_cases

from KidneySegLib.errors import InputError, OutputError
from KidneySegLib.publishing import partial_folder

SEED = 0


def test_names_are_unique_and_there_are_enough() -> None:
    names = Counter((case.family, case.name) for case in battery())
    assert max(names.values()) == 1 and len(names) >= 600


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_case_ends_well() -> None:
    cases = battery()[::4]
    results = list(run_cases(cases, SEED))
    assert len(results) == len(cases)
    assert [f"{r.family}: {r.name}: {r.outcome}: {r.detail}" for r in results if r.outcome in FAULTS] == []
    counts = Counter(result.outcome for result in results)
    assert min(counts[kind] for kind in (Outcome.RIGHT, Outcome.FLAGGED, Outcome.REFUSED)) >= 50


@pytest.mark.timeout(300)
def test_command_line_and_a_full_disk(tmp_path: Path) -> None:
    results = list(run_command_line(tmp_path, SEED, 2, disk_sizes=(700,)))
    assert [f"{r.name}: {r.outcome}: {r.detail}" for r in results if r.outcome in FAULTS] == []
    assert results[0].outcome is Outcome.RIGHT and results[-1].outcome is Outcome.REFUSED


def test_an_output_folder_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    """ITK's writers would abort the process."""
    with pytest.raises(OutputError, match="characters"), partial_folder(tmp_path / "out\udcff"):
        pass
    assert list(tmp_path.iterdir()) == []


def judged(build: object, expected: Expected) -> Outcome:
    [result] = run_cases([Case("one", "own", build, expected)], SEED)
    return result.outcome


def test_the_battery_sees_a_wrong_volume() -> None:
    def mirrored(folder: Path, _: np.random.Generator) -> Path:
        middle = (TRUTH.low[0] + TRUTH.high[0]) / 2
        write(folder, field=lambda points: field(points * (-1, 1, 1) + (2 * middle, 0, 0)))
        return folder

    assert judged(mirrored, Expected(True)) is Outcome.WRONG


def test_the_battery_sees_lost_slices_a_crash_a_leak_and_an_unexpected_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from Fuzz import worker

    def whole(folder: Path, _: np.random.Generator) -> Path:
        return write(folder)[0].parent

    def lost(folder: Path, _: np.random.Generator) -> Path:
        write(folder)[-1].unlink()
        return folder

    assert judged(whole, Expected(True)) is Outcome.RIGHT
    assert judged(lost, Expected(None)) is Outcome.WRONG
    assert judged(whole, Expected(False)) is Outcome.UNEXPECTED

    def tell(path: Path) -> None:
        raise InputError(f"{path} cannot be read.")

    monkeypatch.setattr(worker, "read_input", tell)
    assert judged(whole, Expected(False)) is Outcome.LEAK
    monkeypatch.setattr(worker, "read_input", lambda path: {}["missing"])
    assert judged(whole, Expected(None)) is Outcome.TRACEBACK
    monkeypatch.setattr(worker, "read_input", lambda path: worker.os.kill(worker.os.getpid(), 9))
    assert judged(whole, Expected(None)) is Outcome.CRASH
    monkeypatch.setattr(worker, "TIME_LIMIT", 0.5)
    monkeypatch.setattr(worker, "read_input", lambda path: worker.time.sleep(60))
    assert judged(whole, Expected(None)) is Outcome.HANG
