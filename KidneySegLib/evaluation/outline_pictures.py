"""Pictures of agreement: box plots, and manual, automatic and post-processed outlines of slices side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from KidneySegLib.evaluation.metrics import Overlap
from KidneySegLib.hounsfield import ABDOMEN_WINDOW

MANUAL, AUTOMATIC, PROCESSED = "#ff4040", "#40a0ff", "#40e060"
_MARGIN = 8


@dataclass(frozen=True, eq=False)
class Compared:
    """One slice with its outlines; all arrays ``(j, i)``.

    Attributes:
        title: what is written beside it.
        hu: the slice, rows from front to back.
        manual: reference, bool.
        automatic: thresholded output of the network, bool.
        processed: after post-processing, bool.
    """

    title: str
    hu: np.ndarray
    manual: np.ndarray
    automatic: np.ndarray
    processed: np.ndarray


def draw_comparison(slices: Sequence[Compared], path: Path) -> None:
    """Draws one row per slice: the slice, then with the manual, the automatic and the post-processed outline."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3 * len(slices)), layout="constrained")
    grid = figure.subplots(len(slices), 4, squeeze=False)
    titles = ("slice", "manual", "automatic (threshold)", "post-processed")
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize="small")
    for row, item in zip(grid, slices, strict=True):
        window = _body(item.hu)
        outlines = ((None, None), (item.manual, MANUAL), (item.automatic, AUTOMATIC), (item.processed, PROCESSED))
        for axes, (mask, colour) in zip(row, outlines, strict=True):
            _draw(axes, item.hu[window], None if mask is None else mask[window], colour)
        row[0].set_ylabel(item.title, fontsize="x-small")
    figure.savefig(path, dpi=90)


def draw_boxes(groups: Sequence[Sequence[Overlap]], path: Path, name: str = "fold") -> None:
    """Draws box plots of Dice, IoU and loss over the slices of each group."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    labels = [str(n + 1) for n in range(len(groups))]
    panels = zip(figure.subplots(1, 3), (("dice", "Dice"), ("iou", "IoU"), ("loss", "validation loss")), strict=True)
    for axes, (field, title) in panels:
        axes.boxplot([[getattr(score, field) for score in group] for group in groups])
        axes.set_xticks(range(1, len(labels) + 1), labels)
        axes.set(title=title, xlabel=name)
    figure.savefig(path, dpi=110)


def _draw(axes: Any, hu: np.ndarray, mask: np.ndarray | None, colour: str | None) -> None:
    axes.imshow(hu, cmap="gray", vmin=ABDOMEN_WINDOW[0], vmax=ABDOMEN_WINDOW[1])
    if mask is not None and mask.any() and not mask.all():
        axes.contour(mask, levels=[0.5], colors=[colour], linewidths=1)
    axes.set(xticks=[], yticks=[])


def _body(hu: np.ndarray) -> tuple[slice, slice]:
    """Returns rows and columns of the body, with a margin."""
    inside = hu > max(-300, int(hu.min()) + 20)
    rows, columns = np.flatnonzero(inside.mean(axis=1) > 0.05), np.flatnonzero(inside.mean(axis=0) > 0.05)
    if rows.size == 0 or columns.size == 0:
        return slice(None), slice(None)
    return (
        slice(max(0, int(rows[0]) - _MARGIN), int(rows[-1]) + _MARGIN),
        slice(max(0, int(columns[0]) - _MARGIN), int(columns[-1]) + _MARGIN),
    )
