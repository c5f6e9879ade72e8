#!/usr/bin/env python3
"""The second network of us-kidney 1.2.0: sectors through CT exams, and training on them.

    python Testing/Benchmarks/ultrasound_sectors DATA WORK --make 9000
    python Testing/Benchmarks/ultrasound_sectors DATA WORK --train 24000

DATA is the data folder with `ct` and `ultrasound`. WORK takes frames and `run/checkpoint.pt`, whose averaged weights
are the result; a run that was stopped goes on. Held out are every fifth ultrasound study, the CT exams of HELD_CT and a
sixth of the experts' outlines. Neither validation frames nor validation exams are read.

The shipped weights came from the same code, cut into scripts, with the rate falling over the time of two sessions
instead of over the steps, so a new run gives other weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from learning import train
from sources import make_frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--make", type=int, default=0, help="so many sectors")
    parser.add_argument("--train", type=int, default=0, help="so many steps of 8 frames")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    if given.make:
        make_frames(given.data, given.work, given.make)
    if given.train:
        train(given.work, given.train)


if __name__ == "__main__":
    main()
