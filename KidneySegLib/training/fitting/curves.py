"""Loss, Dice and IoU by epoch: tables that grow, and a picture of them."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from KidneySegLib.evaluation.metrics import Overlap
from KidneySegLib.training.fitting.validation import Score

TABLE, EXAMS, PICTURE = "curves.csv", "validation.csv", "curves.png"
_COLUMNS = ("epoch", "training_loss", "validation_loss", "dice", "iou")
_EXAM_COLUMNS = ("epoch", "exam", "dice", "iou", "loss")
# More exams than this would make the picture a tangle; they are in the table.
_MOST_LINES = 16

Row = dict[str, float]


def log_epoch(folder: Path, epoch: int, training_loss: float, validation: Overlap, scores: Sequence[Score]) -> None:
    """Adds an epoch to the tables and draws the picture anew; an epoch done again replaces what it left.

    Args:
        folder: of the run; gets ``curves.csv``, ``validation.csv`` (exam by exam) and ``curves.png``.
        epoch: from 1.
        training_loss: mean over the epoch's steps.
        validation: what the weights are chosen by.
        scores: of the exams.
    """
    values = (training_loss, validation.loss, validation.dice, validation.iou)
    _replace(folder / TABLE, _COLUMNS, epoch, [[f"{value:.5f}" for value in values]])
    rows = [[s.name, *(f"{v:.5f}" for v in (s.overlap.dice, s.overlap.iou, s.overlap.loss))] for s in scores]
    _replace(folder / EXAMS, _EXAM_COLUMNS, epoch, rows)
    draw_curves([read_curves(folder)], folder / PICTURE, _exam_lines(folder))


def read_curves(folder: Path) -> list[Row]:
    """Returns the rows of ``folder``/curves.csv, empty if there is none."""
    return [{name: float(value) for name, value in row.items()} for row in _rows(folder / TABLE)]


def draw_curves(
    runs: Sequence[Sequence[Row]], path: Path, exams: Mapping[str, Sequence[tuple[float, float]]] | None = None
) -> None:
    """Draws losses, Dice and IoU by epoch, one colour per run (fold), and the Dice of single exams."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    loss, agreement = figure.subplots(1, 2)
    for points in (exams or {}).values():
        agreement.plot(*zip(*points, strict=True), color="0.8", linewidth=0.8)
    for number, rows in enumerate(runs):
        epochs = [row["epoch"] for row in rows]
        for axes, name, label, style in (
            (loss, "training_loss", "training", "-"),
            (loss, "validation_loss", "validation (cross-entropy)", "--"),
            (agreement, "dice", "Dice", "-"),
            (agreement, "iou", "IoU", "--"),
        ):
            line = [row[name] for row in rows]
            axes.plot(epochs, line, style, color=f"C{number}", label=label if number == 0 else None, linewidth=1.2)
    loss.set(xlabel="epoch", ylabel="loss", yscale="log")
    agreement.set(xlabel="epoch", ylabel="validation", ylim=(0, 1))
    for axes in (loss, agreement):
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=110)


def _exam_lines(folder: Path) -> dict[str, list[tuple[float, float]]]:
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in _rows(folder / EXAMS):
        lines.setdefault(row["exam"], []).append((float(row["epoch"]), float(row["dice"])))
    return lines if len(lines) <= _MOST_LINES else {}


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _replace(path: Path, columns: Sequence[str], epoch: int, rows: Sequence[Sequence[str]]) -> None:
    """Writes a table with the rows of earlier epochs and those of ``epoch``."""
    kept = [list(row.values()) for row in _rows(path) if int(row["epoch"]) < epoch]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([*kept, *([str(epoch), *row] for row in rows)])
