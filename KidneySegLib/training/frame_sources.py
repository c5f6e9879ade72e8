"""Further frames to train on, where outlined ones are few: simulated, within simulated sectors, and pseudo-labelled."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.declaration import Positive, Share, Whole
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import UltrasoundRules
from KidneySegLib.datasets.frames import frame_exam
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.datasets.slices import read_grey
from KidneySegLib.errors import InputError
from KidneySegLib.inference.device import choose_device
from KidneySegLib.segmentation.load import load_model, rules_for
from KidneySegLib.segmentation.ultrasound.frame import STAGE, outline_kidney
from KidneySegLib.training.declared import Declared
from KidneySegLib.training.synthesis.ultrasound.composites import Piece, compose_frame
from KidneySegLib.training.synthesis.ultrasound.frames import (
    Frame,
    Shape,
    blank_frame,
    read_frame_shapes,
    read_shape,
    simulate_crop,
    simulate_frame,
    surround_frame,
)

# Changes when the simulator makes other frames from the same numbers.
_VERSION = 2
_KINDS = ("grey", "kidney")
# Simulated sectors that real pieces are put into; they take longest to make, and hardly show in the end.
_SECTORS = 60
_Number = Annotated[Whole, Field(ge=0)]


class SimulatedFrames(Declared):
    """Frames that are simulated, once for a run.

    Attributes:
        shapes: folder below the data folder with kidney shapes: ``capsule`` and ``regions``.
        sectors: number of whole sectors with a kidney.
        empty: number of whole sectors without one.
        blank: number of pictures without tissue: dark, even, or noise.
        crops: number of frames that a kidney fills.
        surrounded: number of labelled frames that are put into a simulated sector.
        composed: number of sectors with the kidney of a labelled or pseudo-labelled frame, at the place and of the size
            of one of the shapes, and with pieces of other tissue from such frames.
        composed_empty: number of sectors with such pieces of other tissue alone.
        weight: how often one is drawn, a labelled frame 1.
        seed: of the simulation.
    """

    shapes: str
    sectors: _Number = 0
    empty: _Number = 0
    blank: _Number = 0
    crops: _Number = 0
    surrounded: _Number = 0
    composed: _Number = 0
    composed_empty: _Number = 0
    weight: Positive = 1.0
    seed: _Number = 0


class PseudoLabels(Declared):
    """Frames without outlines, which an earlier model outlines (self-training).

    Attributes:
        frames: folder below the data folder with pictures.
        model: bundle of the task, by name or folder.
        least_confidence: mean probability inside an outline below which its frame is left out; that of the bundle's
            rules, by which it outlines for readers, does not count.
        weight: how often one is drawn, a labelled frame 1.
    """

    frames: str
    model: str
    least_confidence: Share = 0.9
    weight: Positive = 1.0


class FrameData(Declared):
    """Further frames to train on.

    Attributes:
        simulated: by the simulator; None: none.
        pseudo: with an earlier model's outlines; None: none.
    """

    simulated: SimulatedFrames | None = None
    pseudo: PseudoLabels | None = None


def further_frames(
    plan: FrameData, stage: StagePlan, data: Path, cache: Path, labelled: Sequence[LabelledExam]
) -> list[LabelledExam]:
    """Returns the further frames of a recipe.

    Args:
        plan: what the recipe says.
        stage: whose grid they come on.
        data: folder that the recipe's folders lie in.
        cache: for simulated frames, so that a continued run has the same at once.
        labelled: the frames that are trained on.

    Raises:
        InputError: a folder holds nothing, or the earlier model outlines none of its frames.
        BundleError: the earlier model cannot be used.
    """
    pseudo = [] if plan.pseudo is None else _pseudo_labelled(plan.pseudo, stage, data)
    if plan.simulated is None:
        return pseudo
    return _simulated(plan.simulated, stage, data, cache, labelled, pseudo) + pseudo


def _simulated(
    plan: SimulatedFrames,
    stage: StagePlan,
    data: Path,
    cache: Path,
    labelled: Sequence[LabelledExam],
    pseudo: Sequence[LabelledExam],
) -> list[LabelledExam]:
    real = [Frame(exam.hu[0].astype(np.uint8), exam.organ[0] > 0) for exam in (*labelled, *pseudo)]
    told = f"{_VERSION} {plan.model_dump_json(exclude={'weight', 'surrounded', 'composed', 'composed_empty'})}"
    frames = _kept(cache, told, lambda: _made_of_shapes(plan, data / plan.shapes))
    outlined = real[: len(labelled)]
    told = f"{_VERSION} {plan.seed} {plan.surrounded} {stage} {[exam.name for exam in labelled]}"
    frames += _kept(cache, told, lambda: _made_of_frames(plan, outlined))
    if plan.composed or plan.composed_empty:
        told += f" {plan.composed} {plan.composed_empty} {plan.shapes} {[(e.name, int(e.organ.sum())) for e in pseudo]}"
        frames += _kept(cache, told, lambda: _composed(plan, data / plan.shapes, real))
    return [
        frame_exam(f"simulated {n}", f"simulated {n}", frame.grey, frame.kidney, stage, weight=plan.weight)
        for n, frame in enumerate(frames)
    ]


def _kept(cache: Path, told: str, make: Callable[[], list[Frame]]) -> list[Frame]:
    """Returns frames from the cache, or makes and keeps them; ``told`` is all that they depend on."""
    path = cache / f"simulated-{hashlib.sha256(told.encode()).hexdigest()[:16]}.npz"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        frames = enumerate(make())
        np.savez_compressed(partial, **{f"{kind}{n}": getattr(f, kind) for n, f in frames for kind in _KINDS})
        partial.replace(path)
    with np.load(path) as stored:
        return [Frame(*(stored[f"{kind}{n}"] for kind in _KINDS)) for n in range(len(stored.files) // len(_KINDS))]


def _made_of_shapes(plan: SimulatedFrames, folder: Path) -> list[Frame]:
    files = read_frame_shapes(folder)
    rng = np.random.default_rng(plan.seed)

    def shape() -> Shape:
        return read_shape(files[int(rng.integers(len(files)))])

    frames = [simulate_frame(shape(), rng) for _ in range(plan.sectors)]
    frames += [simulate_frame(None, rng) for _ in range(plan.empty)]
    frames += [simulate_crop(shape(), rng) for _ in range(plan.crops)]
    return frames + [blank_frame(rng) for _ in range(plan.blank)]


def _made_of_frames(plan: SimulatedFrames, real: Sequence[Frame]) -> list[Frame]:
    rng = np.random.default_rng((plan.seed, 1))
    count = plan.surrounded if real else 0
    return [surround_frame(real[int(rng.integers(len(real)))], rng) for _ in range(count)]


def _composed(plan: SimulatedFrames, folder: Path, real: Sequence[Frame]) -> list[Frame]:
    rng = np.random.default_rng((plan.seed, 2))
    pieces = [Piece(frame) for frame in real if frame.kidney.any()]
    if not pieces:
        return []
    files = read_frame_shapes(folder)
    sectors = [simulate_frame(None, rng) for _ in range(_SECTORS)]

    def compose(shape: Shape | None) -> Frame:
        return compose_frame(sectors[int(rng.integers(len(sectors)))], pieces, shape, rng)

    frames = [compose(read_shape(files[int(rng.integers(len(files)))])) for _ in range(plan.composed)]
    return frames + [compose(None) for _ in range(plan.composed_empty)]


def _pseudo_labelled(plan: PseudoLabels, stage: StagePlan, data: Path) -> list[LabelledExam]:
    files = sorted(p for p in (data / plan.frames).glob("*") if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not files:
        raise InputError("The folder of frames without outlines holds no PNG or JPEG picture.")
    bundle = find_bundle(plan.model, "ultrasound")
    rules = replace(rules_for(bundle, UltrasoundRules).ultrasound, least_confidence=plan.least_confidence)
    predictor = load_model(bundle, choose_device("auto"), (STAGE,)).predictors[STAGE]
    exams = []
    for file in files:
        grey = read_grey(file)
        found = outline_kidney(grey, predictor, rules)
        if found.mask.any():
            exams.append(frame_exam(file.stem, file.stem, grey, found.mask, stage, weight=plan.weight))
    if not exams:
        raise InputError(
            f"'{bundle.name}' outlines none of the {len(files)} frames without outlines with a confidence of "
            f"{plan.least_confidence:g}. Lower least_confidence, or name another model."
        )
    return exams
