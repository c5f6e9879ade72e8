#!/usr/bin/env python3
"""Measures what the Slicer module adds to the engine's own time, from the click on Segment to segments and table.

    python Testing/Benchmarks/module_overhead.py [--slices 300] [--device cpu]
    python Testing/Benchmarks/module_overhead.py --slices 476 --corrections 4

The module runs unchanged on the stand-in host (Testing/SlicerHost), with MRML, volumes and segmentations of Slicer's
own, and starts the engine as its child process, as in Slicer. The volume is the synthetic sample, 512x512 pixels.
Counted as the module's are: from the click until the child process starts (voxels are taken from the node and written
to a file), and from the end of the process until segments, table and remarks are shown, the wait until that end is
noticed (at most 0.1 s) included. What lies between is the engine's: starting Python, reading, computing, writing.

With `--corrections` nothing is segmented: a result is corrected by so many strokes and by edits of the worklist, and
what counts is how long Slicer's main thread is busy with each change (`correction_overhead`), with the time of
measuring in the main thread for comparison. The first stroke also hands the exam over. Processor seconds of the main
thread count: neither other programs nor Slicer's waiting for them do. One slow change decides.

Needs the extra `slicer` (slicer-core, PySide6). Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing"), str(Path(__file__).resolve().parent)]

LIMIT_S = 2.0


class TimedStart:
    """Starts a child process and notes when it started and when it ended."""

    def __init__(self, start: Any) -> None:
        self._start = start
        self.started = self.ended = self.busy_at_start = self.busy_at_end = 0.0

    def __call__(self, *arguments: Any) -> subprocess.Popen[str]:
        self.started, self.busy_at_start = time.perf_counter(), time.process_time()
        process = self._start(*arguments)
        threading.Thread(target=self._wait, args=(process.pid,), daemon=True).start()
        return process

    def _wait(self, pid: int) -> None:
        """Notes when the process has ended; it stays a zombie until the module's own poll takes it off."""
        status = Path(f"/proc/{pid}/stat")
        while True:
            try:
                state = status.read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            except OSError:
                state = "X"
            if state in "ZX":
                self.ended, self.busy_at_end = time.perf_counter(), time.process_time()
                return
            time.sleep(0.005)


def main() -> int:
    """Runs the benchmark; returns 1 if the module takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--device", default="cpu", help="as in kidneyseg segment")
    parser.add_argument("--corrections", type=int, default=0, help="measure this many corrections instead of a run")
    options = parser.parse_args()
    from SlicerHost import availability

    if availability.missing():
        print(availability.missing(), file=sys.stderr)
        return 2
    if options.corrections:
        return print_corrections(options.slices, options.corrections)
    from run_benchmarks import make_sample

    with tempfile.TemporaryDirectory(prefix="kidneyseg-benchmark-") as scratch:
        series = make_sample(Path(scratch) / "sample", options.slices)
        before, engine, after, engine_total, busy = measure(series, options.device)
    added = before + after
    print(f"512x512x{options.slices}, {options.device}")
    print(f"click to start of the engine   {before:6.2f} s")
    print(f"engine as a process            {engine:6.2f} s (its own stages: {engine_total:.2f} s)")
    print(f"end of the engine to segments  {after:6.2f} s")
    print(f"added by the module            {added:6.2f} s (allowed: {LIMIT_S:.1f} s; computing: {busy:.2f} s)")
    return int(added > LIMIT_S)


def print_corrections(slices: int, changes: int) -> int:
    """Measures corrections and prints them; returns 1 if one keeps the main thread busy for longer than it may."""
    import correction_overhead
    from SlicerHost.host import start

    host = start()
    widget = host.openModule(ROOT / "KidneySeg" / "KidneySeg.py")
    found, alone = correction_overhead.corrections(widget, slices, changes)
    print(f"512x512x{slices}: main thread per change (of it at one stretch), and until the table was of the change")
    for name, change in found.items():
        share = change.busy / alone
        print(
            f"{name:12}  {change.busy * 1000:6.1f} ms ({change.longest * 1000:5.1f} ms)  {change.waited:5.1f} s"
            f"  1/{1 / share:.0f} of measuring in the main thread"
        )
    print(
        f"measuring in the main thread  {alone * 1000:6.0f} ms (allowed: {correction_overhead.LIMIT_S * 1000:.0f} ms)"
    )
    return int(max(change.busy for change in found.values()) > correction_overhead.LIMIT_S)


def measure(series: Path, device: str) -> tuple[float, float, float, float, float]:
    """Returns seconds: before, in and after the engine's process, its own stages, and the module's time on the CPU."""
    from SlicerHost.host import start

    host = start()
    from SlicerHost.hands import click, waitUntil

    widget = host.openModule(ROOT / "KidneySeg" / "KidneySeg.py")
    from KidneySegWidgets.engine import processRunner
    from KidneySegWidgets.exam.sampleData import loadSeries

    loadSeries(series)
    host.app.processEvents()
    widget.logic.getParameterNode().device = device
    timed = processRunner.startProcess = TimedStart(processRunner.startProcess)
    clicked, busy_at_click = time.perf_counter(), time.process_time()
    click(widget.ui.segmentButton)
    waitUntil(lambda: widget.runs.queue.current is None, 600)
    shown, busy_at_last = time.perf_counter(), time.process_time()
    if widget.results.result is None:
        raise RuntimeError(widget.ui.statusLabel.text)
    stages = widget.results.result.findings().provenance.seconds
    busy = timed.busy_at_start - busy_at_click + busy_at_last - timed.busy_at_end
    return timed.started - clicked, timed.ended - timed.started, shown - timed.ended, sum(stages.values()), busy


if __name__ == "__main__":
    sys.exit(main())
