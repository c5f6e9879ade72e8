"""Loss, Dice and IoU by epoch: a table that grows, and a picture of it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from KidneySegLib.evaluation.slice_scores import SliceScore

COLUMNS = ("epoch", "training_loss", "validation_loss", "dice", "iou")
TABLE, PICTURE = "curves.csv", "curves.png"


def log_epoch(folder: Path, epoch: int, training_loss: float, validation: SliceScore) -> None:
    """Adds a row to ``folder``/curves.csv and draws ``folder``/curves.png anew; an epoch done again replaces its row.

    Args:
        folder: of the run.
        epoch: from 1.
        training_loss: mean Dice and cross-entropy loss of the epoch's slices.
        validation: mean over the validation slices with kidney.
    """
    rows = [row for row in read_curves(folder) if row["epoch"] < epoch]
    values = (epoch, training_loss, validation.loss, validation.dice, validation.iou)
    rows.append(dict(zip(COLUMNS, map(float, values), strict=True)))
    with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([int(row["epoch"]), *(f"{row[name]:.5f}" for name in COLUMNS[1:])] for row in rows)
    draw_curves([rows], folder / PICTURE)


def read_curves(folder: Path) -> list[dict[str, float]]:
    """Returns the rows of ``folder``/curves.csv, empty if there is none."""
    if not (folder / TABLE).is_file():
        return []
    with (folder / TABLE).open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def draw_curves(runs: Sequence[Sequence[dict[str, float]]], path: Path) -> None:
    """Draws losses, Dice and IoU by epoch, one line per run (fold)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    loss, agreement = figure.subplots(1, 2)
    for number, rows in enumerate(runs):
        epochs = [row["epoch"] for row in rows]
        for axes, name, label, style in (
            (loss, "training_loss", "training (Dice + cross-entropy)", "-"),
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
