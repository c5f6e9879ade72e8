"""Pictures of agreement: box plots, and outlines of slices side by side."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from KidneySegLib.evaluation.metrics import Overlap
from KidneySegLib.hounsfield import ABDOMEN_WINDOW

# of the slice itself (none) and its outlines
COLOURS = (None, "#ff4040", "#40a0ff", "#40e060")
_MARGIN = 8


@dataclass(frozen=True, eq=False)
class Compared:
    """One slice with its outlines; all arrays ``(j, i)``.

    Attributes:
        title: what is written beside it.
        hu: the slice, rows from front to back.
        outlines: bool, by what they are; the same ones in all that are drawn together.
    """

    title: str
    hu: np.ndarray
    outlines: Mapping[str, np.ndarray]


def draw_comparison(slices: Sequence[Compared], path: Path) -> None:
    """Draws one row per slice: the slice, then with each of its outlines."""
    from matplotlib.figure import Figure

    titles = ("slice", *slices[0].outlines)
    figure = Figure(figsize=(3 * len(titles), 3 * len(slices)), layout="constrained")
    grid = figure.subplots(len(slices), len(titles), squeeze=False)
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize="small")
    for row, item in zip(grid, slices, strict=True):
        window = _body(item.hu)
        for axes, mask, colour in zip(row, (None, *item.outlines.values()), COLOURS, strict=False):
            _draw(axes, item.hu[window], None if mask is None else mask[window], colour)
        row[0].set_ylabel(item.title, fontsize="x-small")
    figure.savefig(path, dpi=90)


def draw_boxes(groups: Sequence[Sequence[Overlap]], path: Path, name: str = "fold") -> None:
    """Draws box plots of Dice, IoU and, where it is known, loss over each group."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    labels = [str(n + 1) for n in range(len(groups))]
    titles = {"dice": "Dice", "iou": "IoU", "loss": "validation loss"}
    known = [name for name in titles if all(math.isfinite(getattr(o, name)) for group in groups for o in group)]
    for axes, field in zip(figure.subplots(1, len(known), squeeze=False)[0], known, strict=True):
        axes.boxplot([[getattr(score, field) for score in group] for group in groups])
        axes.set_xticks(range(1, len(labels) + 1), labels)
        axes.set(title=titles[field], xlabel=name)
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
