"""A fourth task, for the tests alone: a bright disc on a grey picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.evaluation.cases import Case, Reference
from KidneySegLib.exam import Exam, Units
from KidneySegLib.findings import Findings, Provenance
from KidneySegLib.inference.scan_probabilities import scan_probabilities
from KidneySegLib.measuring.anatomy import Anatomy
from KidneySegLib.measuring.instances import Segmentation
from KidneySegLib.measuring.known import KnownFindings
from KidneySegLib.measuring.lesions.lesions import measure_lesions
from KidneySegLib.progress import Progress, Share
from KidneySegLib.readers.input import ReadOptions
from KidneySegLib.readers.probe import InputProbe
from KidneySegLib.segmentation.load import Model
from KidneySegLib.structures import BY_KEY
from KidneySegLib.training.recipe import Recipe
from KidneySegLib.volume import Volume


class Disc:
    """Grey pictures in the format PGM, pixels of 1 mm."""

    name = "disc"
    title = "Bright disc"
    takes = "a grey picture"
    structures = (BY_KEY["cyst"],)
    stages = ("disc",)

    def accepts(self, probe: InputProbe) -> bool:
        return probe.path.suffix == ".pgm"

    def check_options(self, options: ReadOptions) -> None:
        """There are none."""

    def check_measurable(self, probe: InputProbe) -> None:
        """Grey values can be measured as they are."""

    def read(self, source: Path, options: ReadOptions, progress: Progress) -> Exam:
        grey = np.asarray(Image.open(source)).astype(np.int16)[None]
        return Exam(Volume(grey, np.eye(4)), kind="pgm", units=Units.GREY, settings={"units": Units.GREY.value})

    def segment(self, exam: Exam, model: Model, progress: Progress) -> Segmentation:
        predictor = model.predictors["disc"]
        share = Share.of(progress, "disc", "Looking for discs")
        found, flags = scan_probabilities(exam.volume.voxels, exam.volume.spacing[::-1], predictor, share)
        labels = np.where(found[0] > predictor.stage.threshold, self.structures[0].label, 0).astype(np.uint8)
        return Segmentation.of(exam.volume, labels, flags=flags)

    def describe(
        self, exam: Exam, segmentation: Segmentation, known: KnownFindings | None, provenance: Provenance
    ) -> Findings:
        discs = measure_lesions(Anatomy.of(exam, segmentation), segmentation.confidence, known)
        return Findings((), (*exam.flags, *segmentation.flags), provenance, tuple(discs))


def read_discs(folder: Path, recipe: Recipe, cache: Path, many: bool) -> list[LabelledExam]:
    """Reads a folder of pictures ``N.pgm`` and masks ``N.png``; every picture is a patient of its own."""
    exams = []
    for path in sorted(folder.glob("*.pgm")):
        grey, inside = (np.asarray(Image.open(file))[None] for file in (path, path.with_suffix(".png")))
        none = np.zeros_like(inside)
        maps = (grey.astype(np.int16), (inside > 0).astype(np.uint8), none, none, none, none)
        exams.append(LabelledExam(path.stem, path.stem, (1.0, 1.0, 1.0), *maps))
    return exams


def disc_cases(folder: Path) -> list[Case]:
    """Returns the pictures of such a folder with their masks as references."""

    def drawn(exam: Exam, path: Path) -> Reference:
        return Reference(np.where(np.asarray(Image.open(path)) > 0, 4, 0).astype(np.uint8)[None], None)

    paths = sorted(folder.glob("*.pgm"))
    return [Case(p.stem, p.stem, p, partial(drawn, path=p.with_suffix(".png"))) for p in paths]
