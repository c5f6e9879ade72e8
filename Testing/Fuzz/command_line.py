"""Bad series through the real command line: a child process with a tiny untrained model, and a disk that fills up.

The child process is also what protects its caller: where a decoder crashes, only the child ends, with nothing written.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from Fuzz.battery import battery
from Fuzz.case import Case, Outcome, Result
from Fuzz.truth import FOLDER, SECRETS, write
from KidneySegLib.bundles.bundle import Bundle, write_bundle
from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.networks.factory import build_network, parameters
from KidneySegLib.result_files.names import RESULT_FILES

FAMILY = "command line"
TIME_LIMIT = 120.0
INPUT_ERROR, OUTPUT_ERROR = 3, 6
# Bytes that a file may hold before the disk is full; a result's files have a few hundred to some thousand.
DISK_SIZES = (50, 700, 3000)


def run_command_line(folder: Path, seed: int, count: int, disk_sizes: tuple[int, ...] = DISK_SIZES) -> Iterator[Result]:
    """Runs a sample of the battery, and a good series on disks of some sizes.

    Args:
        folder: to work in.
        seed: of the battery.
        count: how many cases, spread over all.
        disk_sizes: bytes a file may hold.
    """
    models = _tiny_model(folder / "models")
    cases = [case for case in battery() if not case.unprivileged and case.reader is None]
    for number, case in enumerate(cases[:: max(1, len(cases) // count)][:count]):
        yield _run_case(case, folder / str(number), models, seed)
    for size in disk_sizes:
        yield _full_disk(folder / f"disk{size}", models, size)


def _tiny_model(folder: Path) -> Path:
    plan = NetworkPlan("unet3d", (4, 8, 8), ("kidney",))
    stages = tuple(
        StagePlan(name, plan, (spacing,) * 3, (-160.0, 340.0), (32, 32, 32))
        for name, spacing in (("locator", 8.0), ("kidney", 6.0))
    )
    rules = find_bundle(None, "ct").rules.of_stages({stage.name for stage in stages})
    bundle = Bundle(folder / "tiny", "tiny", "0.1", "untrained", "ct", "none", stages, rules, "")
    write_bundle(bundle, {stage.name: parameters(build_network(stage.network)) for stage in stages})
    return folder


def _run_case(case: Case, folder: Path, models: Path, seed: int) -> Result:
    (folder / FOLDER).mkdir(parents=True)
    source = case.build(folder / FOLDER, np.random.default_rng([seed, *case.name.encode()]))
    start = time.perf_counter()
    outcome, detail = _segment(source, folder / "results" / "out", models)
    if case.expected.read is True and outcome is Outcome.REFUSED:
        outcome = Outcome.UNEXPECTED
    if case.expected.read is False and outcome is not Outcome.REFUSED:
        outcome = Outcome.UNEXPECTED
    return Result(f"{case.family}: {case.name}", FAMILY, outcome, detail, time.perf_counter() - start)


def _full_disk(folder: Path, models: Path, size: int) -> Result:
    write(folder / FOLDER)
    start = time.perf_counter()
    outcome, detail = _segment(folder / FOLDER, folder / "results" / "out", models, largest_file=size)
    if outcome is not Outcome.REFUSED:
        outcome = Outcome.UNEXPECTED
    return Result(f"disk full after {size} bytes", FAMILY, outcome, detail, time.perf_counter() - start)


def _segment(source: Path, output: Path, models: Path, largest_file: int | None = None) -> tuple[Outcome, str]:
    """Runs ``kidneyseg segment`` and judges exit code, what was printed, and what was left behind."""
    output.parent.mkdir()
    command = [sys.executable, "-m", "KidneySegLib", "segment", str(source), "-o", str(output), "--model", "tiny"]
    environment = {**os.environ, "KIDNEYSEG_MODELS": str(models), "PYTHONPATH": str(Path(__file__).parents[2])}
    environment.pop("KIDNEYSEG_DEBUG", None)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    try:
        child = subprocess.run(
            [*command, "--device", "cpu", "--progress", "json"],
            env=environment,
            capture_output=True,
            timeout=TIME_LIMIT,
            preexec_fn=limit if largest_file is not None else None,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return Outcome.HANG, f"no end after {TIME_LIMIT:.0f} s"
    printed = (child.stdout + child.stderr).decode(errors="replace")
    left = sorted(path.name for path in output.parent.rglob("*"))
    if child.returncode < 0:
        return Outcome.CRASH, f"signal {-child.returncode}"
    if SECRETS.search(printed) or "Warning" in printed:
        return Outcome.LEAK, printed[-400:]
    if child.returncode == 0:
        complete = left == sorted(["out", *RESULT_FILES])
        return (Outcome.RIGHT if complete else Outcome.WRONG), f"files: {left}"
    sentence = re.search(r"^kidneyseg: (.+\.)$", printed, re.MULTILINE)
    expected = OUTPUT_ERROR if largest_file is not None else INPUT_ERROR
    if child.returncode != expected or sentence is None:
        return Outcome.UNEXPECTED, f"exit code {child.returncode}: {printed[-400:]}"
    return (Outcome.WRONG if left else Outcome.REFUSED), f"{sentence[1]} {f'Left behind: {left}' if left else ''}"
