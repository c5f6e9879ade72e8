"""Timed runs of `kidneyseg segment`, and those of two checkouts in turn."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
FIGURES = {"seconds": "wall", "seconds of processors": "processor", "peak memory, GB": "peak_gb"}


@dataclass
class EngineTime:
    """One run of the engine: seconds on the clock and of all processors, peak memory, and how it ran."""

    wall: float
    processor: float
    peak_gb: float
    stages: dict[str, float]
    device: str
    precision: str


@dataclass
class PairedRuns:
    """Runs of this checkout and of another one on the same scan, round by round.

    Attributes:
        slices: of the scan.
        this: runs of this checkout.
        other: runs of the other one.
    """

    slices: int
    this: list[EngineTime]
    other: list[EngineTime]


def run_engine(
    series: Path, output: Path, device: str = "auto", model: str | None = None, checkout: Path = HERE
) -> EngineTime:
    """Runs a checkout's command line once, in a child process.

    Python keeps what it compiles, as it does for users: without that, most of a second goes into each start.
    """
    command = [sys.executable, "-m", "KidneySegLib", "segment", str(series), "--output", str(output)]
    command += ["--progress", "json", "--device", device, *(["--model", model] if model else [])]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": ""}
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment, cwd=output.parent)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"kidneyseg segment ended with {child.returncode}; there is nothing to measure.")
    provenance = json.loads((output / "findings.json").read_text(encoding="utf-8"))["provenance"]
    unit = 1 if platform.system() == "Darwin" else 1024  # ru_maxrss is in bytes there and in KiB on Linux
    return EngineTime(
        wall,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * unit / 1e9,
        provenance["seconds"],
        provenance["device"],
        provenance["precision"],
    )


def run_in_turn(
    series: Path, output: Path, slices: int, repeats: int, other: Path, device: str = "auto", model: str | None = None
) -> PairedRuns:
    """Runs this checkout and another one in turn; which of them begins changes with every round."""
    pair = PairedRuns(slices, [], [])
    for number in range(repeats):
        sides = [(HERE, pair.this, "this"), (other, pair.other, "other")]
        for checkout, runs, name in sides if number % 2 else sides[::-1]:
            folder = output.with_name(f"{output.name}-{name}-{number}")
            runs.append(run_engine(series, folder, device, model, checkout))
    return pair


def ratios(pair: PairedRuns) -> list[list[str]]:
    """Returns rows of a table: the figures of both checkouts, and this one's share of the other's."""
    rows = []
    for name, attribute in FIGURES.items():
        this, other = ([getattr(run, attribute) for run in runs] for runs in (pair.this, pair.other))
        by_round = statistics.median(new / old for new, old in zip(this, other, strict=True))
        smallest = min(other), min(this), min(this) / min(other)
        rows.append([f"512x512x{pair.slices}", name, *(f"{value:.3f}" for value in (*smallest, by_round))])
    return rows
