"""Where patches are taken: which exam, which place in it, mirrored or not."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from KidneySegLib.bundles.declaration import Count, Positive, Share
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.training.declared import Declared, NotNegative

# How far beyond half a kidney's box a patch centre may lie, and how often a place inside the body is tried for.
_REACH_MM = 15.0
_TRIES = 20
# How far from a voxel of a lesion the centre of its patch may lie, along every axis.
_NEAR_MM = 25.0
# Tells the random numbers of the exams' order from those of patches.
_ORDER = 2_000_000


class Sampling(Declared):
    """Where patches are taken.

    Attributes:
        weight: ``volume``: an exam is drawn more often the more kidney it shows, up to one whole kidney; ``patient``: a
            patient counts by a power of the number of its exams, which are neighbouring slices: alike, but not the
            same; ``each``: every exam once before any comes again, in random order.
        power: with ``patient``: 0 draws all patients equally often, 1 all exams.
        diseased: with ``volume``: how much more often an exam with masses or cysts is drawn.
        without_kidney: with ``patient``: share of exams without kidney, if there are any; with ``each``, 0 leaves them
            out.
        crops: with ``each``: patches that are taken from an exam when it is its turn.
        centre: ``kidney``: patches near a kidney, and some anywhere; ``image``: around the middle of the exam;
            ``label``: around a labelled voxel or any other, moved into the exam, as MONAI and nnU-Net do it.
        on_kidney: with ``kidney``: probability that a patch is centred near a kidney; else anywhere in the body. With
            ``label``: that it is centred on a labelled voxel.
        each_class: with ``label``: whether kidney, mass and cyst are chosen equally often, where an exam has them.
        on_lesion: probability that a patch near a kidney is centred near a lesion instead, if the exam has one.
        jitter_mm: largest distance from the middle of the kidney's box, or of the image, along k, j, i.
        mirror: ``left`` mirrors left kidneys so that the network sees only right ones; ``random`` by chance;
            ``never`` does not.
    """

    weight: Literal["volume", "patient", "each"] = "volume"
    power: Share = 0.5
    diseased: Positive = 1.0
    without_kidney: Share = 0.25
    crops: Count = 1
    centre: Literal["kidney", "image", "label"] = "kidney"
    on_kidney: Share = 1.0
    on_lesion: Share = 0.0
    each_class: bool = False
    jitter_mm: tuple[NotNegative, NotNegative, NotNegative]
    mirror: Literal["left", "random", "never"]

    def weights(self, exams: Sequence[LabelledExam]) -> np.ndarray:
        """Returns the probability with which each exam is drawn, where they do not take turns."""
        if self.weight == "volume":
            volumes = [float(e.organ.sum()) * float(np.prod(e.spacing)) / 1000 for e in exams]
            weights = np.clip(volumes, 50, 150) * [
                (self.diseased if e.lesions.any() else 1.0) * e.weight for e in exams
            ]
            return weights / weights.sum()
        weights, shown = np.zeros(len(exams)), np.array([bool(e.organ.any()) for e in exams])
        shares = {True: 1 - self.without_kidney, False: self.without_kidney}
        for side in {True, False} & set(shown.tolist()):
            patients = [e.patient if s == side else "" for e, s in zip(exams, shown, strict=True)]
            counts = {patient: patients.count(patient) for patient in set(patients)}
            part = [
                counts[p] ** (self.power - 1) * e.weight if s == side else 0.0
                for e, p, s in zip(exams, patients, shown, strict=True)
            ]
            weights += shares[side] * np.array(part) / sum(part)
        return weights / weights.sum()

    def in_turn(self, exams: Sequence[LabelledExam], index: int, seed: int) -> int:
        """Returns which exam patch number ``index`` is taken from, where they take turns."""
        own = [n for n, exam in enumerate(exams) if self.without_kidney > 0 or exam.organ.any()] or range(len(exams))
        turn = index // self.crops
        order = np.random.default_rng((seed, turn // len(own), _ORDER)).permutation(len(own))
        return own[int(order[turn % len(own)])]

    def place(
        self, exam: LabelledExam, rng: np.random.Generator, size: Sequence[float] = (0.0, 0.0, 0.0)
    ) -> tuple[np.ndarray, bool]:
        """Returns the patch's centre in store voxels ``(k, j, i)`` and whether it is mirrored.

        Args:
            exam: that is drawn from.
            rng: of the patch.
            size: of the patch in store voxels along k, j, i; around a label it lies within the exam.
        """
        if self.centre == "label":
            half, shape = np.array(size) / 2, np.array(exam.hu.shape)
            # the middle where the patch is as long as the exam, or longer
            first, last = np.minimum(half, shape / 2) - 0.5, np.maximum(shape - half, shape / 2) - 0.5
            centre, mirror = self._on_label(exam, rng).clip(first, last), False
        elif self.centre == "image":
            jitter = np.array(self.jitter_mm) * rng.uniform(-1, 1, 3) / np.array(exam.spacing)
            centre, mirror = (np.array(exam.hu.shape) - 1) / 2 + jitter, False
        elif exam.boxes and rng.random() < self.on_kidney:
            centre, mirror = self._near_kidney(exam, rng)
            if rng.random() < self.on_lesion and exam.lesions.any():
                centre, mirror = _near_lesion(exam, rng)
        else:
            centre = _inside_body(exam, rng)
            mirror = bool(centre[2] > exam.hu.shape[2] / 2)
        if self.mirror == "random":
            mirror = bool(rng.random() < 0.5)
        return centre, mirror and self.mirror != "never"

    def _on_label(self, exam: LabelledExam, rng: np.random.Generator) -> np.ndarray:
        """Returns a voxel of the organ, of one of its classes, or any voxel."""
        classes = [places for places in exam.classes.values() if places.size]
        if classes and rng.random() < self.on_kidney:
            places = classes[int(rng.integers(len(classes)))] if self.each_class else np.concatenate(classes)
            voxel = int(places[int(rng.integers(places.size))])
        else:
            voxel = int(rng.integers(exam.hu.size))
        return np.array(np.unravel_index(voxel, exam.hu.shape), float)

    def _near_kidney(self, exam: LabelledExam, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
        side, lower, upper = exam.boxes[int(rng.integers(len(exam.boxes)))]
        # In a slab the box is short: a centre far outside it would show nothing but padding.
        extent = (np.array(upper) - np.array(lower)) * np.array(exam.spacing)
        reach = np.minimum(self.jitter_mm, extent / 2 + _REACH_MM)
        jitter = reach * rng.uniform(-1, 1, 3) / np.array(exam.spacing)
        return (np.array(lower) + np.array(upper) - 1) / 2 + jitter, side == "left"


def _inside_body(exam: LabelledExam, rng: np.random.Generator) -> np.ndarray:
    """Returns a random place ``(k, j, i)`` in soft tissue, or anywhere if luck fails."""
    for _ in range(_TRIES):
        centre = rng.uniform(0, np.array(exam.hu.shape) - 1)
        if -50 < exam.hu[tuple(centre.astype(int))] < 200:
            break
    return centre


def _near_lesion(exam: LabelledExam, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """Returns a place near one of the exam's lesions, and whether it lies in a left kidney's box."""
    places = np.argwhere(exam.lesions)
    centre = places[int(rng.integers(len(places)))] + rng.uniform(-_NEAR_MM, _NEAR_MM, 3) / np.array(exam.spacing)
    middles = [(np.abs((np.array(low) + np.array(up)) / 2 - centre)[2], side) for side, low, up in exam.boxes]
    return centre, min(middles)[1] == "left"
