#!/usr/bin/env python
"""Runs the battery of bad series and prints how the cases ended: ``python Testing/Fuzz/run_fuzz.py``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

TESTING = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTING.parent), str(TESTING), str(TESTING / "Python")]

from Fuzz.battery import battery  # noqa: E402
from Fuzz.case import FAULTS, Case, Outcome, Result  # noqa: E402
from Fuzz.command_line import run_command_line  # noqa: E402
from Fuzz.worker import run_cases  # noqa: E402


def main() -> None:
    """Runs, prints the table and every fault, and ends with 1 if there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=None, help="how many, spread over all; default: all")
    parser.add_argument("--command-line", type=int, default=12, help="how many of them also as child processes")
    parser.add_argument("--only", default="", help="cases whose name or family holds this word")
    parser.add_argument("--verbose", action="store_true", help="a line for every case")
    arguments = parser.parse_args()
    cases = [case for case in battery() if arguments.only in f"{case.family}: {case.name}"]
    if arguments.cases:
        cases = cases[:: max(1, len(cases) // arguments.cases)][: arguments.cases]
    results = []
    for result in run_all(cases, arguments.seed, arguments.command_line if not arguments.only else 0):
        results.append(result)
        if arguments.verbose or result.outcome in FAULTS:
            print(
                f"{result.family}: {result.name}: {result.outcome} ({result.seconds:.1f} s) {result.detail}", flush=True
            )
    print(table(results))
    sys.exit(any(result.outcome in FAULTS for result in results))


def run_all(cases: list[Case], seed: int, command_line: int) -> Iterator[Result]:
    """Runs cases on the reading path, then a sample of the whole battery through the command line."""
    yield from run_cases(cases, seed)
    if command_line:
        with tempfile.TemporaryDirectory() as scratch:
            yield from run_command_line(Path(scratch), seed, command_line)


def table(results: list[Result]) -> str:
    """Returns a Markdown table: families by outcome, with sums."""
    outcomes = [Outcome.RIGHT, Outcome.FLAGGED, Outcome.REFUSED]
    head = ["family", "cases", *outcomes, "faults"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    families = list(dict.fromkeys(result.family for result in results))
    for family in [*families, "all"]:
        counts = Counter(result.outcome for result in results if family in (result.family, "all"))
        faults = sum(counts[outcome] for outcome in FAULTS)
        lines.append(f"| {family} | {counts.total()} | {' | '.join(str(counts[o]) for o in outcomes)} | {faults} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
