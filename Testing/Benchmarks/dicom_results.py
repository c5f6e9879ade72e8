"""How long DICOM results take: a series of 512x512x300 with two kidneys, two cysts, a mass and three stones.

usage: python Testing/Benchmarks/dicom_results.py FOLDER    (an empty folder with 200 MB of space)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Python"))
from dicom_writing import AXIAL, even_positions, write_series
from result_cases import described, result_of

from KidneySegLib.findings import BundleRecord, InputRecord, Provenance
from KidneySegLib.interchange.results import write_dicom_results
from KidneySegLib.interchange.source_images import read_source_images
from KidneySegLib.readers.dicom.ct import read_ct

SLICES, PIXELS = 300, 512
# label, centre and radii in voxels (k, j, i)
BODIES = (
    (1, (150, 300, 160), (38, 38, 35)),
    (2, (155, 300, 350), (38, 38, 35)),
    (3, (150, 300, 120), (15, 20, 20)),
    (4, (170, 310, 380), (12, 15, 15)),
    (4, (130, 310, 370), (8, 10, 10)),
    (5, (140, 300, 165), (3, 4, 4)),
    (5, (150, 300, 350), (2, 3, 3)),
    (5, (120, 300, 350), (2, 3, 3)),
)


def make_series(folder: Path) -> None:
    """Writes a trunk of noise."""
    image = np.random.default_rng(0).normal(40, 10, (PIXELS, PIXELS)).astype(np.int16)
    j, i = np.mgrid[:PIXELS, :PIXELS] - PIXELS / 2
    image[(j / 200) ** 2 + (i / 240) ** 2 > 1] = -1000
    positions = even_positions((-200, -200, -225), AXIAL, 1.5, SLICES)
    write_series(folder, [image] * SLICES, positions, pixel_spacing=(0.78, 0.78))


def make_labels() -> np.ndarray:
    """Returns the label map, uint8 (k, j, i)."""
    labels = np.zeros((SLICES, PIXELS, PIXELS), np.uint8)
    for label, centre, radii in BODIES:
        box = tuple(slice(c - r - 1, c + r + 2) for c, r in zip(centre, radii, strict=True))
        axes = np.ogrid[box]
        inside = sum(((x - c) / r) ** 2 for x, c, r in zip(axes, centre, radii, strict=True)) <= 1
        labels[box][inside] = label
    return labels


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Does something and prints how long it took."""
    start = time.perf_counter()
    result = work()
    print(f"{what}: {time.perf_counter() - start:.2f} s")
    return result


def main() -> None:
    """Runs the benchmark in the folder named on the command line."""
    folder = Path(sys.argv[1])
    make_series(folder / "series")
    acquisition = read_ct(folder / "series")
    volume, labels = acquisition.stored, make_labels()
    record = InputRecord.of(volume, "dicom", acquisition.source.to_dict())
    provenance = Provenance("", "cpu", "float32", record, (BundleRecord("ct-kidney", "1.1.0", "0" * 64),))
    findings = described(volume, labels, flags=[], provenance=provenance)
    source = timed("headers of the series", lambda: read_source_images(folder / "series", findings))
    for what, options in (
        ("SEG and SR", {}),
        ("again, per lesion", {"per_lesion": True}),
        ("label map", {"labelmap": True}),
    ):
        files = timed(
            what,
            lambda o=options: write_dicom_results(folder / "out", result_of(volume, labels, findings), source, **o),
        )
        print("  " + ", ".join(f"{file.name} {file.stat().st_size / 1e6:.2f} MB" for file in files))


if __name__ == "__main__":
    main()
