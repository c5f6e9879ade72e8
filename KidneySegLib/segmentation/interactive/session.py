"""A session: a label map, the clicks of a reader on it, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.geometry.boxes import Box, hull
from KidneySegLib.segmentation.interactive import lesion, walked
from KidneySegLib.segmentation.interactive.answer import Answer
from KidneySegLib.segmentation.interactive.click import Click, is_air, voxel_at
from KidneySegLib.segmentation.interactive.territory import give_back
from KidneySegLib.structures import STRUCTURES
from KidneySegLib.volume import Volume

# A scribble is answered as so many clicks at most, spread over it.
CLICKS_OF_A_SCRIBBLE = 5


@dataclass(frozen=True)
class LabelChange:
    """What a step changed.

    Attributes:
        box: part of the label map that was written, slices for k, j, i; None where nothing changed.
        voxels: number of voxels with another label than before.
    """

    box: Box | None
    voxels: int


@dataclass(frozen=True)
class _Step:
    """What undo needs: the labels that each change replaced, and the number of clicks before it."""

    replaced: tuple[tuple[Box, np.ndarray], ...]
    clicks: int


class Session:
    """Corrects a label map click by click.

    Attributes:
        volume: the image in HU.
        labels: the label map as it is now, uint8 ``(k, j, i)``; a copy of what was given.
        clicks: all clicks so far; each later answer respects them.
    """

    def __init__(self, volume: Volume, labels: np.ndarray, earlier: Sequence[Click] = ()) -> None:
        """Starts a session.

        Args:
            volume: the image in HU, axes in any order and sense, at right angles.
            labels: label map on its grid, values of ``structures``.
            earlier: clicks that were answered before; they cannot be taken back here.

        Raises:
            GeometryError: the label map does not fit the image, or the image's axes are not at right angles.
        """
        if labels.shape != volume.voxels.shape:
            raise GeometryError(
                "A label map of shape {shape} does not fit an image of {grid}.",
                shape=labels.shape,
                grid=volume.voxels.shape,
            )
        if volume.is_sheared:
            raise GeometryError("The image's axes are not at right angles. Resample it to a straight grid.")
        self.volume = volume
        self.labels = np.array(labels, dtype=np.uint8)
        self.clicks: list[Click] = list(earlier)
        self._steps: list[_Step] = []

    def click(self, kji: np.ndarray, label: int, *, adds: bool) -> LabelChange:
        """Answers a click.

        A positive click only adds to the structure, a negative one only removes from it. A click on what needs no
        change (more of it where it is, less of it where it is not) changes nothing, and later answers respect it. Nor
        does one that asks for more of a structure where there is air.

        Args:
            kji: continuous voxel indices ``(k, j, i)``.
            label: value of the structure.
            adds: more of the structure, or less.

        Raises:
            InputError: the click lies outside the image, or there is no such structure.
        """
        return self.scribble(np.asarray(kji)[None], label, adds=adds)

    def scribble(self, kji: np.ndarray, label: int, *, adds: bool) -> LabelChange:
        """Answers a scribble: some clicks, spread over it, that are one step.

        Args:
            kji: continuous voxel indices of its points, ``(n, 3)`` in ``(k, j, i)``, at least one.
            label: value of the structure.
            adds: more of the structure, or less.

        Raises:
            InputError: a point lies outside the image, or there is no such structure.
        """
        known = [structure.label for structure in STRUCTURES]
        if label not in known:
            raise InputError(
                "There is no structure {label}. Structures are {known}.", label=label, known=", ".join(map(str, known))
            )
        points = [voxel_at(point, self.labels.shape) for point in self._spread(np.atleast_2d(kji))]
        before = len(self.clicks)
        replaced = []
        voxels = 0
        for point in points:
            click = Click(point, label, adds)
            answer = self._answer(click)
            self.clicks.append(click)
            if answer is not None:
                replaced.append((answer.box, self.labels[answer.box].copy()))
                voxels += int(np.count_nonzero(answer.mask))
                self._write(answer, click)
        self._steps.append(_Step(tuple(replaced), before))
        return LabelChange(_hull(replaced), voxels)

    def undo(self) -> LabelChange:
        """Takes the last step back, with its clicks; changes nothing where there is none."""
        if not self._steps:
            return LabelChange(None, 0)
        step = self._steps.pop()
        del self.clicks[step.clicks :]
        voxels = 0
        for box, labels in reversed(step.replaced):
            voxels += int(np.count_nonzero(self.labels[box] != labels))
            self.labels[box] = labels
        return LabelChange(_hull(step.replaced), voxels)

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._steps)

    def _answer(self, click: Click) -> Answer | None:
        """Returns what a click changes; None where the label map says so already, or where air would be a structure."""
        if (self.labels[click.kji] == click.label) == click.adds or (click.adds and is_air(self.volume, click.kji)):
            return None
        way = lesion if click.label in lesion.LESIONS else walked
        return (way.added if click.adds else way.removed)(self.volume, self.labels, click, self.clicks)

    def _write(self, answer: Answer, click: Click) -> None:
        labels = self.labels[answer.box]
        if click.adds:
            labels[answer.mask] = click.label
        else:
            give_back(labels, click.label, answer.mask, self.volume.spacing[::-1])

    def _spread(self, kji: np.ndarray) -> np.ndarray:
        """Returns points that are far from each other: first the one nearest to the middle."""
        if not len(kji):
            raise InputError("The scribble has no point.")
        places = kji * self.volume.spacing[::-1]
        chosen = [int(((places - places.mean(axis=0)) ** 2).sum(axis=1).argmin())]
        nearest = ((places - places[chosen[0]]) ** 2).sum(axis=1)
        while len(chosen) < CLICKS_OF_A_SCRIBBLE and nearest.max() > 0:
            chosen.append(int(nearest.argmax()))
            nearest = np.minimum(nearest, ((places - places[chosen[-1]]) ** 2).sum(axis=1))
        return kji[chosen]


def _hull(replaced: Sequence[tuple[Box, np.ndarray]]) -> Box | None:
    """Returns the box around what was replaced, or None if nothing was."""
    return hull(box for box, _ in replaced) if replaced else None
