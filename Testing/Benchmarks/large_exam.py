#!/usr/bin/env python3
"""Peak memory of `segment` and `evaluate` on an exam of 1,000 slices. The target is 3 GB each.

    python Testing/Benchmarks/large_exam.py --slices 1000 --device cpu

The exam is made: 512x512 pixels of 0.75 mm, slices of 0.6 mm, a body with fat, two ellipsoids of kidney, a mass, a cyst
and noise of a fixed seed; its labels are the reference. Both commands run in processes of their own; peak memory is
the operating system's figure for the process (its resident set). Needs Linux or macOS (`os.wait4`).
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

HERE = Path(__file__).resolve().parents[2]
SPACING = (0.75, 0.75, 0.6)
TARGET_GB = 3.0


def write_exam(folder: Path, slices: int) -> None:
    """Writes ``image.nii.gz`` and ``mask.nii.gz``."""
    folder.mkdir(parents=True)
    # one plane of noise, shifted from slice to slice: making and packing a new one for each would take minutes
    noise = np.random.default_rng(0).normal(0, 12, (512, 512)).astype(np.int16)
    image, labels = np.full((slices, 512, 512), -1000, np.int16), np.zeros((slices, 512, 512), np.uint8)
    j, i = np.ogrid[:512, :512]

    def ellipse(row: float, column: float, rows: float, columns: float) -> np.ndarray:
        return ((j - row) / rows) ** 2 + ((i - column) / columns) ** 2

    skin, wall, fat = (
        ellipse(*place) < 1 for place in ((256, 256, 190, 240), (256, 256, 165, 215), (270, 256, 120, 180))
    )
    plain = np.full((512, 512), -1000, np.int16)
    plain[skin], plain[wall], plain[fat] = -95, 50, -95
    for k in range(slices):
        image[k] = plain
        for label, column, size, hu in ((1, 150, 1.0, 150), (2, 362, 1.0, 150), (3, 120, 0.3, 90), (4, 395, 0.25, 8)):
            inside = ellipse(300, column, 40 * size, 36 * size) + ((k - slices / 2) / (95 * size)) ** 2 < 1
            labels[k][inside], image[k][inside] = label, hu
        image[k] += np.roll(noise, 37 * k)
    for name, array in (("image", image), ("mask", labels)):
        picture = sitk.GetImageFromArray(array)
        picture.SetSpacing(SPACING)
        sitk.WriteImage(picture, str(folder / f"{name}.nii.gz"))


def peak_gb(arguments: list[str]) -> tuple[float, float]:
    """Runs a command of kidneyseg; returns seconds and peak memory."""
    start = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "KidneySegLib", *arguments],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"kidneyseg {arguments[0]} ended with {child.returncode}; there is nothing to measure.")
    unit = 1 if platform.system() == "Darwin" else 1024
    return time.perf_counter() - start, usage.ru_maxrss * unit / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=1000)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--only-evaluate", action="store_true", help="compare the reference with itself, segment nothing"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_exam(folder / "data" / "large", options.slices)
        segment = ["segment", str(folder / "data/large/image.nii.gz"), "-o", str(folder / "found/large")]
        evaluate = [
            "evaluate",
            str(folder / "data"),
            "-o",
            str(folder / "out"),
            "--found",
            str(folder / "found"),
            "--page",
        ]
        runs = {"segment": [*segment, "--device", options.device, "--progress", "none"], "evaluate": evaluate}
        if options.only_evaluate:
            del runs["segment"]
            (folder / "found").mkdir()
            (folder / "found/large.nii.gz").symlink_to(folder / "data/large/mask.nii.gz")
        for title, arguments in runs.items():
            seconds, memory = peak_gb(arguments)
            print(f"{title}: {memory:.2f} GB peak, {seconds:.0f} s (target {TARGET_GB} GB)", flush=True)


if __name__ == "__main__":
    main()
