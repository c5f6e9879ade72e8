#!/usr/bin/env python
"""Compares two recordings of `record.py`, exam by exam.

    python Testing/Golden/compare.py BEFORE AFTER [--only NAME ...] [--voxels-per-100000 1]

Ends with 1 if anything differs. Unique identifiers, dates, times, versions, checksums and durations are left aside.
With `--voxels-per-100000` so many voxels of an array may have moved; in such an exam numbers and pictures follow the
voxels, so they are listed, and everything else still counts.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from Golden.differences import Difference, Kind, MovedVoxels, compare_data, compare_voxels  # noqa: E402
from Golden.exams import is_chosen  # noqa: E402
from Golden.recording import Record, has_record, names, read_record  # noqa: E402

MOST_LINES = 12  # of one kind in one exam
MOST_SHARED = 60


@dataclass(frozen=True)
class Comparison:
    """One exam in both recordings.

    Attributes:
        exam: its name.
        voxels: arrays in which voxels differ.
        faults: what counts.
        follows: numbers and pictures that follow from moved voxels which are allowed.
    """

    exam: str
    voxels: tuple[MovedVoxels, ...]
    faults: tuple[Difference, ...]
    follows: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        """Whether nothing at all differs."""
        return not (self.voxels or self.faults or self.follows)


def main() -> None:
    """Compares, prints the differences and a summary, and ends with 1 if any of them counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="exams (C2) or groups (validation)")
    parser.add_argument("--voxels-per-100000", type=float, default=0.0, help="moved voxels that do not count")
    options = parser.parse_args()
    comparisons = compare_recordings(options.before, options.after, options.only, options.voxels_per_100000)
    if not comparisons:
        sys.exit("There is no exam to compare.")
    for comparison in comparisons:
        if not comparison.is_equal:
            print("\n".join(describe(comparison)))
    print(summary(comparisons))
    sys.exit(any(comparison.faults for comparison in comparisons))


def compare_recordings(
    before: Path, after: Path, only: Iterable[str] = (), voxels_per_100000: float = 0.0
) -> list[Comparison]:
    """Compares the chosen exams of two recordings; one that is in one of them only is a fault."""
    exams = [name for name in sorted({*names(before), *names(after)}) if is_chosen(name, only)]
    return [_compare_exam(before, after, name, voxels_per_100000) for name in exams]


def _compare_exam(before: Path, after: Path, name: str, allowed: float) -> Comparison:
    there = [has_record(recording / name) for recording in (before, after)]
    if not all(there):
        states = ("recorded" if state else "not recorded" for state in there)
        return Comparison(name, (), (Difference(Kind.MISSING, "exam", *states),), ())
    return compare_records(name, read_record(before / name), read_record(after / name), allowed)


def compare_records(name: str, before: Record, after: Record, voxels_per_100000: float = 0.0) -> Comparison:
    """Compares what two recordings say about one exam."""
    found = list(compare_voxels(before, after))
    moved = tuple(item for item in found if isinstance(item, MovedVoxels))
    faults = [item for item in found if isinstance(item, Difference)]
    too_many = [item for item in moved if item.moved > voxels_per_100000 * item.total / 1e5]
    faults += [Difference(Kind.VOXELS, item.place, "0 moved", f"{item.moved} moved, too many") for item in too_many]
    differences = compare_data(before, after)
    excused = bool(moved) and not faults
    follows = tuple(item for item in differences if excused and item.is_numeric)
    faults += [item for item in differences if not (excused and item.is_numeric)]
    return Comparison(name, moved, tuple(faults), follows)


def describe(comparison: Comparison) -> list[str]:
    """Returns lines for the terminal about one exam."""
    lines = [f"{comparison.exam}:", *(f"  {item}" for item in comparison.voxels)]
    return lines + _lines(comparison.faults, "") + _lines(comparison.follows, "follows from moved voxels: ")


def _lines(differences: Iterable[Difference], remark: str) -> list[str]:
    lines = []
    by_kind: dict[Kind, list[Difference]] = {}
    for item in differences:
        by_kind.setdefault(item.kind, []).append(item)
    for kind, items in by_kind.items():
        lines += [f"  {remark}{item}" for item in items[:MOST_LINES]]
        if len(items) > MOST_LINES:
            lines.append(f"  {remark}{kind}: {len(items) - MOST_LINES} more")
    return lines


def summary(comparisons: list[Comparison]) -> str:
    """Returns a few lines about all exams."""
    equal = sum(comparison.is_equal for comparison in comparisons)
    moved = sum(item.moved for comparison in comparisons for item in comparison.voxels)
    faults = Counter(item.kind for comparison in comparisons for item in comparison.faults)
    follows = Counter(item.kind for comparison in comparisons for item in comparison.follows)
    lines = [f"{len(comparisons)} exams, {equal} of them equal in everything; {moved} voxels of all arrays moved."]
    lines += [f"counts: {kind}: {count}" for kind, count in sorted(faults.items())]
    lines += [f"follows from moved voxels: {kind}: {count}" for kind, count in sorted(follows.items())]
    return "\n".join(lines + _shared(comparisons))


def _shared(comparisons: list[Comparison]) -> list[str]:
    """Returns lines about what counts in several exams alike, most exams first."""
    exams = Counter(pattern for item in comparisons for pattern in {fault.pattern() for fault in item.faults})
    lines = [f"  {count} exams: {pattern}" for pattern, count in exams.most_common(MOST_SHARED) if count > 1]
    return ["Alike in several exams, but for numbers (N):", *lines] if lines else []


if __name__ == "__main__":
    main()
