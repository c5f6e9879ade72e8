#!/usr/bin/env python3
"""How far the outlines depend on what scanners, archives and patients do to an exam.

    python Testing/Benchmarks/robustness.py DATA/ct/train/TG DATA/ct/train/CO
    python Testing/Benchmarks/robustness.py DATA/ct/train/TG --only "9 mm stones" --only stents

Every exam (a folder with image.nii.gz and mask.nii.gz) is changed in each way of ``changed_exams``, segmented, and
compared with its reference. Printed is one row per change: Dice of each kidney as an organ and of masses and cysts, in
brackets the difference to the unchanged exam, stones found, false masses and cysts, candidates, flags of doubt.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from changed_exams import CHANGES, Changed

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.evaluation.detection import Status
from KidneySegLib.evaluation.volumes import ExamResult, evaluate_labels
from KidneySegLib.inference.device import choose_device
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.segmentation.load import Model, load_model
from KidneySegLib.segmentation.pipeline import segment_ct
from KidneySegLib.structures import Side
from KidneySegLib.tasks.ct import CT
from KidneySegLib.volume import read_image

HEADER = ("exam", "change", "right", "left", "mass", "cyst", "stones", "false", "candidates", "flags")
_OF_NOTE = (
    "kidney_doubtful",
    "kidney_not_confirmed",
    "ureteral_stent",
    "dense_collecting_system",
    "stones_not_searched",
)


def compared(name: str, model: Model, changed: Changed) -> tuple[ExamResult, Segmentation]:
    """Segments a changed exam and compares it with its reference."""
    found = segment_ct(changed.image, model)
    result = evaluate_labels(name, changed.image, found.labels, changed.reference, found.confidence, found.candidates)
    return result, found


def row(name: str, change: str, result: ExamResult, found: Segmentation, plain: ExamResult) -> tuple[str, ...]:
    """Returns the cells of ``HEADER``."""

    def cell(value: float | None, before: float | None) -> str:
        if value is None:
            return "" if before is None else "gone"
        return f"{value:.3f}" if before is None or result is plain else f"{value:.3f} ({value - before:+.3f})"

    def organ(of: ExamResult, side: Side) -> float | None:
        return of.organs[side].dice if side in of.organs else None

    def structure(of: ExamResult, key: str) -> float | None:
        return of.structures[key].dice if key in of.structures else None

    stones = [lesion for lesion in result.lesions if lesion.structure == "stone" and lesion.in_reference]
    seen = sum(lesion.status is Status.FOUND for lesion in stones)
    false = sum(one.structure != "stone" and one.status is Status.FALSE for one in result.lesions)
    return (
        name,
        change,
        *(cell(organ(result, side), organ(plain, side)) for side in (Side.RIGHT, Side.LEFT)),
        *(cell(structure(result, key), structure(plain, key)) for key in ("mass", "cyst")),
        f"{seen} of {len(stones)}" if stones else "",
        str(false),
        str(len(result.candidates)),
        ", ".join(sorted({flag.code for flag in found.flags if flag.code in _OF_NOTE})),
    )


def main() -> None:
    """Runs the changes that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exams", nargs="+", type=Path, help="folders with image.nii.gz and mask.nii.gz")
    parser.add_argument("--only", action="append", choices=tuple(CHANGES), help="one of the changes; repeatable")
    parser.add_argument("--model", help="bundle by name or folder; default: the shipped one")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    model = load_model(find_bundle(arguments.model, "ct"), choose_device(arguments.device), CT.stages)
    for line in (HEADER, ["---"] * len(HEADER)):
        print(f"| {' | '.join(line)} |", flush=True)
    for folder in arguments.exams:
        image = read_image(folder / "image.nii.gz").canonical()
        reference = read_image(folder / "mask.nii.gz").canonical().voxels
        plain = compared(folder.name, model, Changed(image, reference))
        for name in ("unchanged", *(arguments.only or [change for change in CHANGES if change != "unchanged"])):
            result, found = plain if name == "unchanged" else compared(
                folder.name, model, CHANGES[name](image, reference)
            )  # fmt: skip
            print(f"| {' | '.join(row(folder.name, name, result, found, plain[0]))} |", flush=True)


if __name__ == "__main__":
    main()
