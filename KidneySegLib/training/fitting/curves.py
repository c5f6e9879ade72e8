"""Loss and validation Dice by step: a table that grows, and a picture of it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path


def log_curves(folder: Path, step: int, loss: float, middle: float, scores: Mapping[str, float]) -> None:
    """Adds a row to ``folder``/curves.csv and draws ``folder``/curves.png anew.

    Args:
        folder: of the run.
        step: optimiser steps so far.
        loss: mean training loss since the last row.
        middle: median validation Dice.
        scores: validation Dice by exam.
    """
    row = {"step": str(step), "loss": f"{loss:.4f}", "median": f"{middle:.4f}"}
    row |= {name: f"{value:.4f}" for name, value in scores.items()}
    table = folder / "curves.csv"
    new = not table.is_file()
    with table.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)
    with table.open(newline="", encoding="utf-8") as file:
        _draw(list(csv.DictReader(file)), folder / "curves.png")


def _draw(rows: list[dict[str, str]], path: Path) -> None:
    from matplotlib.figure import Figure

    steps = [int(row["step"]) for row in rows]
    figure = Figure(figsize=(9, 4), layout="constrained")
    loss, dice = figure.subplots(1, 2)
    loss.plot(steps, [float(row["loss"]) for row in rows], color="black")
    loss.set(xlabel="step", ylabel="training loss")
    for name in rows[0]:
        if name not in ("step", "loss"):
            values = [float(row[name]) for row in rows]
            dice.plot(steps, values, label=name, linewidth=2.5 if name == "median" else 1)
    dice.set(xlabel="step", ylabel="validation Dice", ylim=(0, 1))
    dice.legend(fontsize="x-small", loc="lower right")
    figure.savefig(path, dpi=110)
