#!/usr/bin/env python3
"""What the lesion network owes to synthetic and to real lesions, and whether it finds cysts of exams it never saw.

    python Testing/Benchmarks/lesion_study.py ../shared/data --output study synthetic
    python Testing/Benchmarks/lesion_study.py ../shared/data --output study real both leave-one-out

- `synthetic`: trained without the exams that have real lesions.
- `real`: trained on all exams without synthetic lesions (there are real cysts among them, no real mass).
- `both`: the recipe as it is.
- `leave-one-out`: for each training exam with cysts, the network of `synthetic` (which never saw any of them) learns on
  with the other ones, and is tried on the one left out. Run `synthetic` first.

Every variant is tried with the whole engine on exams that it was not trained on; tables land in
`OUTPUT/VARIANT/result`.
All lesion networks begin with random weights; locator, outline and organ come from the shipped bundle, which has seen
the training exams. Training takes long: a call goes on where the last one was stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from KidneySegLib.commands.evaluate import evaluate_exams
from KidneySegLib.commands.export import export
from KidneySegLib.commands.train import train

WITH_LESIONS = ("c3l00189", "lidc0001", "C1", "C3")
UNSEEN = ("C2", "T1")
# of 500 steps
EPOCHS = {"synthetic": 8, "real": 8, "both": 8, "leave-one-out": 1}


def run(
    data: Path, folder: Path, prepared: Path, epochs: int, *, leave_out: tuple[str, ...], synthesis: bool, start: str
) -> Path:
    """Trains one variant to its end and returns its bundle."""
    train(
        "ct-lesion", data, folder, minutes=1e6, threads=1, leave_out=list(leave_out), synthesis=synthesis,
        epochs=epochs, start=start, prepared=prepared,
    )  # fmt: skip
    bundle = folder / "bundle"
    export([f"ct-lesion={folder}"], bundle, "0", "not for release", base="ct-kidney", last=True)
    return bundle


def judge(data: Path, bundle: Path, output: Path, exams: tuple[str, ...]) -> None:
    """Tries a bundle on exams and prints the tables."""
    places = [next((data / "ct").glob(f"*/{exam}")) for exam in exams]
    for table in evaluate_exams(places, output, model=str(bundle))[1]:
        print(table.markdown())


def main() -> None:
    """Runs the variants that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder that holds ct/ and kits23_shapes/")
    parser.add_argument("variants", nargs="+", choices=tuple(EPOCHS))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, help="other than the variant's own number")
    args = parser.parse_args()
    prepared = args.output / "prepared"
    for variant in args.variants:
        epochs = args.epochs or EPOCHS[variant]
        if variant == "leave-one-out":
            start = str(args.output / "synthetic" / "bundle")
            for exam in WITH_LESIONS:
                folder = args.output / f"without-{exam}"
                bundle = run(args.data, folder, prepared, epochs, leave_out=(exam,), synthesis=True, start=start)
                judge(args.data, bundle, folder / "result", (exam,))
            continue
        left = WITH_LESIONS if variant == "synthetic" else ()
        folder = args.output / variant
        bundle = run(args.data, folder, prepared, epochs, leave_out=left, synthesis=variant != "real", start="")
        judge(args.data, bundle, folder / "result", (*left, *UNSEEN))


if __name__ == "__main__":
    main()
