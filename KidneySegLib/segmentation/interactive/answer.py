"""What the answer to one click is: the voxels that it adds to its structure, or removes from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from KidneySegLib.geometry.boxes import Box, hull
from KidneySegLib.geometry.boxes import within as box_within
from KidneySegLib.segmentation.interactive.click import Click

# An answer is hardly deeper elsewhere than at the click: by this factor and so many mm.
DEEPER, DEEPER_MM = 1.5, 1.0


@dataclass(frozen=True)
class Answer:
    """Voxels that change.

    Attributes:
        box: part of the image, slices for k, j, i.
        mask: bool ``(k, j, i)``: what changes within the box.
    """

    box: Box
    mask: np.ndarray


def connected(box: Box, mask: np.ndarray, click: Click, earlier: Sequence[Click]) -> Answer:
    """Returns the piece of a mask that the click lies in: with its own voxel, without those that it was denied.

    Args:
        box: part of the image, with the click in it.
        mask: bool ``(k, j, i)`` of the box; changed in place.
        click: that is answered.
        earlier: clicks of the same session; of those on the same structure that said the opposite, no voxel is taken.
    """
    import cc3d

    for each in earlier:
        if each.label == click.label and each.adds != click.adds and _holds(box, each.kji):
            mask[within(each.kji, box)] = False
    clicked = within(click.kji, box)
    mask[clicked] = True
    pieces = cc3d.connected_components(mask, connectivity=26)
    return Answer(box, pieces == pieces[clicked])


def is_deepest(answer: Answer, click: Click, spacing: tuple[float, float, float]) -> bool:
    """Returns whether an answer is hardly deeper anywhere than at its click.

    Readers click into the middle of what is wrong; what is far deeper elsewhere is more than was meant.

    Args:
        answer: with the click's voxel in it.
        click: that is answered.
        spacing: mm along k, j, i.
    """
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(np.pad(answer.mask, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    return bool(depth.max() <= DEEPER * depth[within(click.kji, answer.box)] + DEEPER_MM)


def joined(first: Answer, second: Answer) -> Answer:
    """Returns what is in either of two answers."""
    box = hull((first.box, second.box))
    mask = np.zeros([part.stop - part.start for part in box], bool)
    for each in (first, second):
        mask[box_within(each.box, box)] |= each.mask
    return Answer(box, mask)


def within(kji: tuple[int, int, int], box: Box) -> tuple[int, int, int]:
    """Returns the indices of a voxel ``(k, j, i)`` within a box."""
    k, j, i = (at - part.start for at, part in zip(kji, box, strict=True))
    return k, j, i


def _holds(box: Box, kji: tuple[int, int, int]) -> bool:
    return all(part.start <= at < part.stop for part, at in zip(box, kji, strict=True))
