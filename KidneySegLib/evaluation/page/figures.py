"""The page's figures as PNG files in memory."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.evaluation.classwise import CLASSES, confusion_sum
from KidneySegLib.evaluation.evaluate import CaseResult
from KidneySegLib.evaluation.page.measures import LESIONS, STRUCTURES, total_reliability
from KidneySegLib.evaluation.statistics.bland_altman import limits_of_agreement
from KidneySegLib.evaluation.statistics.froc import froc
from KidneySegLib.evaluation.tables import NAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100


def figures(results: Sequence[CaseResult]) -> dict[str, bytes]:
    """Returns those figures that the results have something for, by title, as PNG."""
    drawn = {
        "Dice by structure": _boxes(results),
        "Volumes: difference against mean (Bland–Altman)": _bland_altman(results),
        "FROC: sensitivity against false alarms per exam": _froc(results),
        "Reliability": _reliability(results),
        "Confusion matrix": _confusion(results),
    }
    return {title: png(figure) for title, figure in drawn.items() if figure is not None}


def png(figure: Figure) -> bytes:
    """Returns a figure as PNG, without a date, so that the same numbers give the same file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """Returns an empty figure; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _by_structure(results: Sequence[CaseResult], value: str) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    for structure in STRUCTURES:
        found = [getattr(a, value) for result in results for name, a in result.structures if name == structure]
        if found:
            values[structure] = found
    return values


def _boxes(results: Sequence[CaseResult]) -> Figure | None:
    values = _by_structure(results, "dice")
    if not values:
        return None
    figure = new_figure(5, 3.4)
    axes = figure.subplots()
    axes.boxplot(list(values.values()))
    axes.set_xticks(range(1, len(values) + 1), [f"{name}\nn = {len(group)}" for name, group in values.items()])
    axes.set(ylabel="Dice", ylim=(-0.02, 1.02))
    return figure


def _bland_altman(results: Sequence[CaseResult]) -> Figure | None:
    found, reference = _by_structure(results, "found_ml"), _by_structure(results, "reference_ml")
    if not found:
        return None
    figure = new_figure(3.4 * len(found), 3.4)
    for axes, name in zip(figure.subplots(1, len(found), squeeze=False)[0], found, strict=True):
        limits = limits_of_agreement(found[name], reference[name])
        pair = np.array([found[name], reference[name]])
        axes.scatter(pair.mean(axis=0), pair[0] - pair[1], s=14)
        for value, style in ((limits.bias, "-"), (limits.low, "--"), (limits.high, "--")) if limits else ():
            axes.axhline(value, linestyle=style, color="0.4", linewidth=1)
        axes.set(title=name, xlabel="mean of both, ml", ylabel="found - reference, ml")
    return figure


def _froc(results: Sequence[CaseResult]) -> Figure | None:
    exams = [result.exam for result in results if result.exam is not None]
    curves = {
        structure: froc([one for exam in exams for one in exam.lesions if one.structure == structure], len(exams))
        for structure in LESIONS
    }
    if not any(curves.values()):
        return None
    figure = new_figure(4.6, 3.6)
    axes = figure.subplots()
    for name, points in curves.items():
        if points:
            x, y = [p.false_per_exam for p in points], [p.sensitivity for p in points]
            axes.step([0, *x], [0, *y], where="post", marker=".", label=name)
    axes.set(xlabel="false alarms per exam", ylabel="sensitivity", ylim=(-0.02, 1.02))
    axes.legend(fontsize="small")
    return figure


def _reliability(results: Sequence[CaseResult]) -> Figure | None:
    total = total_reliability(results)
    if total is None or total.error is None:
        return None
    figure = new_figure(3.8, 3.6)
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), ":", color="0.5")
    probability, share, _ = zip(*total.curve(), strict=True)
    axes.plot(probability, share, "o-")
    axes.set(xlabel="mean probability", ylabel="share that is right", title=f"ECE {total.error:.4f}")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return figure


def _confusion(results: Sequence[CaseResult]) -> Figure | None:
    exams = [result.exam for result in results if result.exam is not None]
    if exams:
        names = ["background", *(NAMES[name] for name in CLASSES)]
        matrix = confusion_sum([exam.confusion for exam in exams]).astype(float)
    else:
        names, matrix = ["background", "kidney"], _two_by_two(results)
    if not matrix.any():
        return None
    figure = new_figure(4.4, 3.8)
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        if (row, column) != (0, 0) or not exams:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, f"{count:,.0f}", ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(len(names)), names, rotation=30)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="found", ylabel="reference", title="voxels")
    return figure


def _two_by_two(results: Sequence[CaseResult]) -> np.ndarray:
    """Returns the summed pixels of slices: rows reference, columns found."""
    matrix = np.zeros((2, 2))
    for result in results:
        if result.view is not None and result.whole is not None:
            found, truth = result.view.found > 0, result.view.reference > 0
            for row, column in np.ndindex(2, 2):
                matrix[row, column] += int(((truth == bool(row)) & (found == bool(column))).sum())
    return matrix
