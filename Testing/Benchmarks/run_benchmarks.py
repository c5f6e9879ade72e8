#!/usr/bin/env python3
"""Measures `kidneyseg segment` stage by stage and compares it with a sliding window at full resolution.

    python Testing/Benchmarks/run_benchmarks.py                      # scans of 129 and 600 slices, 3 measured tiles
    python Testing/Benchmarks/run_benchmarks.py --slices 129 --full  # every tile of the comparison, which takes long
    python Testing/Benchmarks/run_benchmarks.py --against ../before --repeats 5

For each scan (the synthetic sample, 512x512 pixels of 0.8 mm):

1. `python -m KidneySegLib segment` runs in a process of its own, from the DICOM folder to all output files. Wall time
   and peak memory are the operating system's figures for that process; stages are those in `findings.json`, the rest
   (starting Python, loading libraries, writing files) is the difference. The fastest of `--repeats` runs counts.
2. On the same volume, in this process, a network of nnU-Net's size with random weights (MONAI DynUNet, 32 to 320
   channels, 6 outputs) takes the tiles of MONAI's sliding window: 128x128x128 voxels, 50 % overlap, at the scan's own
   resolution, in the same number format and on the same device as the engine. Unless `--full` is given only some tiles
   are timed, after a first one that does not count, and **the total is the mean time of a tile times the number of
   tiles**. It is the time of the network alone: without reading, resampling, merging of tiles and writing, all of
   which the engine's time contains.

With `--against CHECKOUT` only the engine is measured: this checkout and another one run in turn on the same scans, so
that what else goes on in the machine meets both. Seconds of the processors depend on that least.

Needs Linux or macOS (`os.wait4`). Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from engine_runs import EngineTime, PairedRuns, ratios, run_engine, run_in_turn

if TYPE_CHECKING:
    import torch

PATCH = (128, 128, 128)
OVERLAP = 0.5
CHANNELS = (32, 64, 128, 256, 320, 320)
# a sample is at most this long; more slices are thinner ones
LONGEST_SCAN, THICKEST_SLICE = 300.0, 2.0


@dataclass
class TileTime:
    """The sliding window: its number of tiles, those that were timed, and the seconds for all of them."""

    tiles: int
    timed: int
    seconds_per_tile: float

    @property
    def total(self) -> float:
        """Seconds for all tiles."""
        return self.tiles * self.seconds_per_tile


@dataclass
class Result:
    """One scan's figures."""

    slices: int
    engine: EngineTime
    window: TileTime | None = field(default=None)


def main() -> None:
    """Runs the benchmarks and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, nargs="+", default=[129, 600])
    parser.add_argument("--repeats", type=int, default=2, help="runs of the engine; the fastest counts")
    parser.add_argument("--tiles", type=int, default=3, help="tiles of the comparison that are timed; 0 leaves it out")
    parser.add_argument("--full", action="store_true", help="time every tile of the comparison")
    parser.add_argument("--device", default="auto", help="as in kidneyseg segment")
    parser.add_argument("--model", help="as in kidneyseg segment")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument(
        "--against", type=Path, metavar="CHECKOUT", help="run another checkout in turn, and compare with it alone"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kidneyseg-benchmark-") as scratch:
        results = [measure(Path(scratch), slices, options) for slices in options.slices]
    print(report(results) if options.against is None else compared(results))
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n", encoding="utf-8")


def measure(scratch: Path, slices: int, options: argparse.Namespace) -> Result | PairedRuns:
    """Measures what the options ask for on one scan."""
    print(f"512x512x{slices}: making the sample", file=sys.stderr)
    series = make_sample(scratch / f"sample-{slices}", slices)
    print(f"512x512x{slices}: running the engine", file=sys.stderr)
    output = scratch / f"out-{slices}"
    if options.against is not None:
        other = options.against.resolve()
        return run_in_turn(series, output, slices, options.repeats, other, options.device, options.model)
    result = Result(slices, time_engine(series, output, options))
    if options.tiles or options.full:
        print(f"512x512x{slices}: running the sliding window", file=sys.stderr)
        result.window = time_window(series, result.engine, None if options.full else options.tiles)
    return result


def make_sample(folder: Path, slices: int) -> Path:
    """Writes a sample with this many slices and returns the series' folder."""
    from KidneySegLib.sample.write import write_sample

    write_sample(folder, slices=slices, spacing=min(THICKEST_SLICE, LONGEST_SCAN / slices))
    return folder / "series"


def time_engine(series: Path, output: Path, options: argparse.Namespace) -> EngineTime:
    """Runs the command line on ``series`` and returns its fastest run."""
    outputs = (output.with_name(f"{output.name}-{number}") for number in range(options.repeats))
    return min((run_engine(series, path, options.device, options.model) for path in outputs), key=lambda run: run.wall)


def time_window(series: Path, engine: EngineTime, timed: int | None) -> TileTime:
    """Times the network on tiles of the volume in ``series``; ``timed`` None takes every tile."""
    import torch
    from monai.data.utils import dense_patch_slices
    from monai.networks.nets import DynUNet

    from KidneySegLib.readers.input import read_input

    voxels = read_input(series).stored.voxels
    step = tuple(int(size * (1 - OVERLAP)) for size in PATCH)
    size = [max(n, p) for n, p in zip(voxels.shape, PATCH, strict=True)]
    places = dense_patch_slices(size, PATCH, step)
    device = torch.device(engine.device.split()[0])
    network = DynUNet(
        spatial_dims=3,
        in_channels=1,
        out_channels=6,
        kernel_size=[3] * len(CHANNELS),
        strides=[1] + [2] * (len(CHANNELS) - 1),
        upsample_kernel_size=[2] * (len(CHANNELS) - 1),
        filters=list(CHANNELS),
    )
    network = network.eval().to(device)
    # the middle of the list lies in the middle of the body
    chosen = places if timed is None else places[len(places) // 2 :][:timed]
    run_tile(network, voxels, chosen[0], device, engine.precision)
    start = time.perf_counter()
    for place in chosen:
        run_tile(network, voxels, place, device, engine.precision)
    return TileTime(len(places), len(chosen), (time.perf_counter() - start) / len(chosen))


def run_tile(
    network: torch.nn.Module, voxels: np.ndarray, place: tuple[slice, ...], device: torch.device, precision: str
) -> None:
    """Runs the network on one tile; ends when its result has arrived in main memory."""
    import torch

    tile = np.zeros(PATCH, np.float32)
    part = np.clip(voxels[place], -200, 300) / np.float32(250)
    tile[tuple(slice(n) for n in part.shape)] = part
    dtype = getattr(torch, precision)
    with torch.inference_mode(), torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
        network(torch.from_numpy(tile)[None, None].to(device)).cpu()


def report(results: list[Result]) -> str:
    """Returns the tables as text."""
    first = results[0].engine
    lines = [
        f"Engine on {first.device}, {first.precision}, {os.cpu_count()} cores; wall time in s, peak memory in GB.",
        "",
    ]
    stages = list(dict.fromkeys(stage for result in results for stage in result.engine.stages))
    header = ["scan", *stages, "start, write", "total", "memory"]
    rows = []
    for result in results:
        engine = result.engine
        rest = engine.wall - math.fsum(engine.stages.values())
        seconds = [*(engine.stages.get(stage, 0.0) for stage in stages), rest, engine.wall]
        rows.append([f"512x512x{result.slices}", *(f"{value:.1f}" for value in seconds), f"{engine.peak_gb:.2f}"])
    lines += table(header, rows)
    compared = [(result, result.window) for result in results if result.window]
    if compared:
        lines += ["", "Sliding window with a network of nnU-Net's size at full resolution, the network alone:", ""]
        rows = []
        for result, window in compared:
            how = "measured" if window.timed == window.tiles else f"{window.tiles} x mean of {window.timed}"
            figures = [f"{window.seconds_per_tile:.2f}", f"{window.total:.0f}", how]
            rows.append(
                [f"512x512x{result.slices}", str(window.tiles), *figures, f"{window.total / result.engine.wall:.1f}"]
            )
        lines += table(["scan", "tiles", "s per tile", "s in all", "how", "times the engine's total"], rows)
    return "\n".join(lines)


def compared(pairs: list[PairedRuns]) -> str:
    """Returns the table of two checkouts as text."""
    lines = [
        f"Another checkout and this one in turn, {os.cpu_count()} cores. Each figure is the smallest of its rounds,",
        "the last column the median of the rounds' own ratios. Below 1 this checkout is better.",
        "",
    ]
    header = ["scan", "figure", "other", "this", "this/other", "median by round"]
    return "\n".join(lines + table(header, [row for pair in pairs for row in ratios(pair)]))


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Returns the lines of a table."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [header, *rows]]


if __name__ == "__main__":
    main()
