#!/usr/bin/env python3
"""What simulated frames and frames without outlines give: short trainings on the same real frames, measured alike.

    python Testing/Benchmarks/ultrasound_ablation.py DATA WORK [--steps 400] [--arms real simulated ...]

DATA is the folder that the recipe `ultrasound` takes; its validation frames are not read. Every fifth training frame by
study is held out, and so are frames without outlines of these studies. WORK takes data folders, recipes, runs and
bundles; what is there already is not made again. The arms:

- `real`: the real frames alone.
- `simulated`: with simulated frames, and real ones within simulated sectors.
- `unlabelled`: with frames besides that the network of `simulated` outlines. Its bundle believes outlines from 0.5 on.
- `shipped-teacher`: the same frames, outlined by the shipped bundle. It learnt from the held-out frames, too.

Each is measured at one size, threshold 0.75, without a least confidence; what fills less than 1 % is none. Dice where
there is a kidney, else how many pictures were outlined.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.rules import FrameRules
from KidneySegLib.datasets.frames import FrameEntry, read_frame, read_frame_list
from KidneySegLib.evaluation.metrics import dice
from KidneySegLib.inference.device import choose_device
from KidneySegLib.segmentation.load import load_model
from KidneySegLib.segmentation.ultrasound.frame import STAGE, outline_kidney
from KidneySegLib.training.recipe import find_recipe
from KidneySegLib.training.synthesis.ultrasound.composites import Piece, compose_frame
from KidneySegLib.training.synthesis.ultrasound.frames import (
    Frame,
    blank_frame,
    read_frame_shapes,
    read_shape,
    simulate_frame,
    surround_frame,
)

SIMULATED = """
[data.frames.simulated]
shapes = "kidneyus_masks"
sectors = 450
empty = 60
blank = 60
crops = 60
surrounded = 150
weight = 0.15
seed = 1
"""
PSEUDO = """
[data.frames.pseudo]
frames = "unlabelled"
model = "{teacher}"
least_confidence = 0.5
weight = 0.15
"""
SCHEDULE = "[schedule]\nepochs = 1\nsteps_per_epoch = {steps}\nbatch = 4\nwarm_up = 50\naverage = 0.99\nseed = 1\n"
RULES = "[ultrasound]\nsmallest_share = 0.01\nleast_confidence = 0.5\nsure_confidence = 0.93\nusual_share = 0.3\n"
ARMS = ("real", "simulated", "unlabelled", "shipped-teacher")
UNLABELLED = 240
# Any confidence counts.
ANY = FrameRules(0.01, 0.0, 0.0, 0.0)
_SEED = 7


def prepare(data: Path, work: Path) -> Path:
    """Returns a data folder with ``learn``, ``held``, ``unlabelled`` and the shapes, made of links."""
    folder, source = work / "data", data / "ultrasound" / "train"
    if folder.is_dir():
        return folder
    entries = sorted(read_frame_list(source), key=lambda entry: (entry.patient, entry.file))
    held = {entry.patient for entry in entries[2::5]}
    listed = json.loads((source / "frames.json").read_text(encoding="utf-8"))
    for name, is_held in (("learn", False), ("held", True)):
        files = {entry.file for entry in entries if (entry.patient in held) == is_held}
        for kind in ("images", "masks"):
            (folder / name / kind).mkdir(parents=True)
            for file in files:
                (folder / name / kind / file).symlink_to((source / kind / file).resolve())
        own = [entry for entry in listed if Path(entry["image"]).name in files]
        (folder / name / "frames.json").write_text(json.dumps(own), encoding="utf-8")
    marks = [patient.lstrip("t") for patient in held]
    free = [
        file
        for file in sorted((data / "ultrasound" / "unlabelled").iterdir())
        if not any(mark in file.name for mark in marks)
    ]
    (folder / "unlabelled").mkdir()
    for n in np.random.default_rng(_SEED).permutation(len(free))[:UNLABELLED]:
        (folder / "unlabelled" / free[n].name).symlink_to(free[n].resolve())
    (folder / "kidneyus_masks").symlink_to((data / "ultrasound" / "kidneyus_masks").resolve())
    return folder


def train(arm: str, work: Path, data: Path, steps: int) -> Path:
    """Returns the bundle of an arm; its teacher is trained first."""
    bundle = work / "bundles" / arm
    if (bundle / "bundle.json").is_file():
        return bundle
    more = "" if arm == "real" else SIMULATED
    if arm == "unlabelled":
        more += PSEUDO.format(teacher=train("simulated", work, data, steps).resolve().as_posix())
    if arm == "shipped-teacher":
        more += PSEUDO.format(teacher=find_bundle(None, "ultrasound").name)
    shipped = find_recipe("ultrasound").read_text(encoding="utf-8")
    head, rest = shipped.split("[data]", 1)
    loss = rest[rest.index("[loss]") : rest.index("[schedule]")]
    text = head.replace("threshold = 0.5", "threshold = 0.75") + '[data]\ntrain = ["learn"]\nvalidation = ["held"]\n'
    text += more + loss + SCHEDULE.format(steps=steps) + rest[rest.index("[sampling]") :]
    recipe, rules = work / f"{arm}.toml", work / "rules.toml"
    recipe.write_text(text, encoding="utf-8")
    rules.write_text(RULES, encoding="utf-8")
    run = work / "runs" / arm
    engine = [sys.executable, "-m", "KidneySegLib"]
    prepared = ["--prepared", str(work / "prepared"), "--threads", "1"]
    subprocess.run([*engine, "train", str(recipe), "--data", str(data), "-o", str(run), *prepared], check=True)
    told = ["--last", "--rules", str(rules), "--version", "0.0.1", "--licence", "not for use"]
    subprocess.run([*engine, "export", f"{recipe}={run}", "-o", str(bundle), *told], check=True)
    return bundle


def measured_sets(data: Path) -> dict[str, list[Frame]]:
    """Returns the held-out frames, what is made of them, and pictures without a kidney; always the same."""
    held = [Frame(*read_frame(data / "held", FrameEntry(e.file, e.patient))) for e in read_frame_list(data / "held")]
    files, rng = read_frame_shapes(data / "kidneyus_masks"), np.random.default_rng(_SEED)
    shapes = [shape for shape in (read_shape(file) for file in files[::8]) if shape.capsule.sum() > 300]
    empty, pieces = [simulate_frame(None, rng) for _ in range(20)], [Piece(frame) for frame in held]

    def times(count: int, make: Callable[[int], Frame]) -> list[Frame]:
        return [make(n) for n in range(count)]

    return {
        "crops": held,
        "crops within simulated sectors": times(40, lambda n: surround_frame(held[n % len(held)], rng)),
        "sectors with real tissue": times(
            40, lambda n: compose_frame(empty[n % 20], pieces, shapes[n % len(shapes)], rng)
        ),
        "simulated sectors": times(40, lambda n: simulate_frame(shapes[n % len(shapes)], rng)),
        "empty sectors": empty,
        "empty, real tissue": times(20, lambda n: compose_frame(empty[n], pieces, None, rng)),
        "blank": times(20, lambda _: blank_frame(rng)),
    }


def measure(bundle: Path, sets: dict[str, list[Frame]]) -> list[str]:
    """Returns a cell for each set: mean Dice ± sd, or how many of how many pictures without kidney were outlined."""
    predictor = load_model(find_bundle(str(bundle), "ultrasound"), choose_device("auto"), (STAGE,)).predictors[STAGE]
    cells = []
    for frames in sets.values():
        found = [outline_kidney(frame.grey, predictor, ANY).mask for frame in frames]
        scores = [dice(mask, f.kidney) for mask, f in zip(found, frames, strict=True) if f.kidney.any()]
        outlined = sum(bool(mask.any()) for mask in found)
        cells.append(
            f"{np.mean(scores):.3f} ± {np.std(scores, ddof=1):.3f}" if scores else f"{outlined} of {len(found)}"
        )
    return cells


def main() -> None:
    """Trains what is missing, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    options = parser.parse_args()
    data = prepare(options.data, options.work)
    bundles = {arm: train(arm, options.work, data, options.steps) for arm in options.arms}
    sets = measured_sets(data)
    print("| trained on |", " | ".join(f"{len(frames)} {name}" for name, frames in sets.items()), "|")
    print("|---" * (len(sets) + 1) + "|")
    for arm, bundle in bundles.items():
        print(f"| {arm} |", " | ".join(measure(bundle, sets)), "|", flush=True)


if __name__ == "__main__":
    main()
