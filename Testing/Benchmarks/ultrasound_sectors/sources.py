"""What is learnt from: sectors through CT exams, older simulated frames, crops, and frames that the bundle outlines."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
from made_frames import make
from PIL import Image
from planes import MM, Exam

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.rules import FrameRules
from KidneySegLib.datasets.exams import read_exam
from KidneySegLib.datasets.frames import frame_exam
from KidneySegLib.inference.arrays import array_of
from KidneySegLib.inference.device import choose_device
from KidneySegLib.inference.resampling import grid_shape, resample
from KidneySegLib.segmentation.load import load_model
from KidneySegLib.segmentation.ultrasound.frame import STAGE, outline_kidney
from KidneySegLib.training.synthesis.ultrasound.composites import Piece, compose_frame
from KidneySegLib.training.synthesis.ultrasound.frames import (
    Frame,
    blank_frame,
    read_frame_shapes,
    read_shape,
    simulate_crop,
    simulate_frame,
    surround_frame,
)

HELD_CT = ("NC", "K2", "CE", "acrin")
ANY = FrameRules(0, 0, 0, 0)
# Outlines of the bundle that count, and how much of a crop a kidney fills.
SURE, FILLED = 0.95, (0.3, 0.75)
KINDS = ["ct"] * 26 + ["real"] * 22 + ["empty"] * 12


def ct_exams(data: Path) -> list[Exam]:
    exams = []
    for folder in sorted((data / "ct/train").iterdir()):
        if folder.name in HELD_CT or not folder.is_dir():
            continue
        image, labels = read_exam(folder)
        shape = grid_shape(image.voxels.shape, image.spacing[::-1], (MM,) * 3)
        masks = [array_of(resample((labels.voxels == n).view(np.uint8), shape)) >= 0.5 for n in range(1, 6)]
        mask = sum(n * part for n, part in enumerate(masks, start=1))
        exams.append(Exam(array_of(resample(image.voxels, shape)).astype(np.int16), np.asarray(mask, np.uint8)))
    return exams


def crops(data: Path) -> tuple[dict[str, Frame], list[str]]:
    """Returns the labelled crops that are not held out, and the studies that are."""
    folder = data / "ultrasound/train"
    entries = sorted(json.loads((folder / "frames.json").read_text()), key=lambda entry: entry["study"])
    held = [entry for n, entry in enumerate(entries) if n % 5 == 2 or n == 0][:13]
    names = {entry["image"] for entry in held}

    def read(name: str) -> Frame:
        grey, mask = (np.asarray(Image.open(folder / kind / name).convert("L")) for kind in ("images", "masks"))
        return Frame(grey, mask > 0)

    found = {entry["image"]: read(entry["image"]) for entry in entries if entry["image"] not in names}
    return found, [entry["study"].lstrip("t") for entry in held]


def outlined(data: Path, held: list[str]) -> dict[str, Frame]:
    """Returns frames without outlines that the bundle outlines surely."""
    predictor = load_model(find_bundle("us-kidney", "ultrasound"), choose_device("auto"), (STAGE,)).predictors[STAGE]
    found = {}
    for path in sorted((data / "ultrasound/unlabelled").iterdir()):
        if any(study in path.name for study in held):
            continue
        grey = np.asarray(Image.open(path).convert("L"))
        outline = outline_kidney(grey, predictor, ANY)
        if outline.confidence >= SURE and FILLED[0] < outline.mask.mean() < FILLED[1]:
            found[path.stem] = Frame(grey, outline.mask)
    return found


def make_frames(data: Path, work: Path, count: int) -> None:
    """Writes ``frames.pkl``: by kind, name, spacing, grey values and mask on the network's grid."""
    stage = find_bundle("us-kidney", "ultrasound").stages[0]
    pools: dict[str, list] = {kind: [] for kind in ("crop", "pseudo", "ct", "real", "empty", "old", "none")}

    def put(kind: str, name: str, frame: Frame) -> None:
        exam = frame_exam(name, name, frame.grey, frame.kidney, stage)
        pools[kind].append((name, exam.spacing, exam.hu.astype(np.uint8), exam.organ))

    labelled, held = crops(data)
    unlabelled = dict(list(outlined(data, held).items())[::2])
    for kind, frames in (("crop", labelled), ("pseudo", unlabelled)):
        for name, frame in frames.items():
            put(kind, name, frame)
    pieces = [Piece(frame) for frame in labelled.values()] * 3 + [Piece(frame) for frame in unlabelled.values()]
    reals = [piece.frame.grey for piece in pieces]
    shapes = [shape for n, shape in enumerate(read_frame_shapes(data / "ultrasound/kidneyus_masks")) if n % 6 != 5]
    read = [shape for shape in map(read_shape, shapes) if shape.capsule.sum() > 300]
    exams = ct_exams(data)
    for n in range(count):
        rng = np.random.default_rng((77, n))
        kind = KINDS[n % len(KINDS)]
        frame = make(exams, read, pieces, reals, rng, kind)
        if frame is not None:
            put(kind if frame.kidney.any() else "empty", f"{kind}{n}", frame)
    for name, kind, frame in older(list(labelled.values()), read):
        put(kind, name, frame)
    (work / "frames.pkl").write_bytes(pickle.dumps(pools))
    print({kind: len(frames) for kind, frames in pools.items()})


def older(labelled: list[Frame], shapes: list) -> list[tuple[str, str, Frame]]:
    """Returns frames of the kinds that the recipe ``ultrasound`` makes: name, kind, frame."""
    rng = np.random.default_rng(5)
    pieces = [Piece(frame) for frame in labelled]
    empty = [simulate_frame(None, rng) for _ in range(60)]

    def shape():
        return shapes[int(rng.integers(len(shapes)))]

    made = [("blank", blank_frame(rng)) for _ in range(60)] + [("none", frame) for frame in empty[:40]]
    made += [("surrounded", surround_frame(labelled[int(rng.integers(len(labelled)))], rng)) for _ in range(150)]
    for n in range(150):
        ground = empty[int(rng.integers(60))]
        made.append(("composed", compose_frame(ground, pieces, shape() if n < 110 else None, rng)))
    made += [("sector", simulate_frame(shape(), rng)) for _ in range(150)]
    made += [("crop", simulate_crop(shape(), rng)) for _ in range(40)]
    return [(f"{name}{n}", "old" if frame.kidney.any() else "none", frame) for n, (name, frame) in enumerate(made)]
