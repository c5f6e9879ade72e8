"""The form of tables that 2D papers have: mean ± sd over cases and over patients (Pérez Martínez et al., 2026)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple, fields
from functools import reduce
from operator import add

from KidneySegLib.evaluation.evaluate import CaseResult
from KidneySegLib.evaluation.metrics import Overlap, Spread, TouchedStones, mean_overlap
from KidneySegLib.evaluation.tables import Cell, ScoreTable

_MEASURES: tuple[Callable[[Overlap], float], ...] = (lambda o: o.dice, lambda o: o.iou, lambda o: o.loss)


def overlap_pages(results: Sequence[CaseResult]) -> list[ScoreTable]:
    """Returns the tables for reading; without those for which the references have nothing."""
    scored = [r for r in results if r.overlap is not None]
    counted = [r.touched for r in results if r.touched is not None]
    return ([_overlaps(scored)] if scored else []) + ([_touched(counted)] if counted else [])


def overlap_files(results: Sequence[CaseResult]) -> list[ScoreTable]:
    """Returns the table with every case."""
    stones = [field.name for field in fields(TouchedStones)]
    rows: list[tuple[Cell, ...]] = []
    for r in results:
        overlap = (None, None, None) if r.overlap is None else tuple(f"{f(r.overlap):.5f}" for f in _MEASURES)
        touched = (None,) * len(stones) if r.touched is None else astuple(r.touched)
        rows.append((r.name, r.patient, *(None if cell == "nan" else cell for cell in overlap), *touched))
    header = ("case", "patient", "dice", "iou", "loss", *(f"stone_{name}" for name in stones))
    return [ScoreTable("overlap_by_case", "", "", header, rows)]


def _overlaps(results: Sequence[CaseResult]) -> ScoreTable:
    by_patient: dict[str, list[Overlap]] = {}
    for result in results:
        if result.overlap is not None:
            by_patient.setdefault(result.patient, []).append(result.overlap)
    cases = [overlap for overlaps in by_patient.values() for overlap in overlaps]
    note = (
        f"All outlines of an exam or slice taken together (the kidneys as organs), {len(cases)} of {len(by_patient)} "
        "patients, mean ± sd. Loss: mean binary cross-entropy per voxel, where the task keeps its probability."
    )
    rows = [
        _spreads("cases", cases),
        _spreads("patients", [mean_overlap(overlaps) for overlaps in by_patient.values()]),
    ]
    return ScoreTable("overlap", "Overlap", note, ("over", "Dice", "IoU", "loss"), rows)


def _spreads(name: str, overlaps: Sequence[Overlap]) -> tuple[Cell, ...]:
    columns = [[measure(overlap) for overlap in overlaps] for measure in _MEASURES]
    return name, *(None if any(map(math.isnan, column)) else str(Spread.of(column)) for column in columns)


def _touched(counts: Sequence[TouchedStones]) -> ScoreTable:
    total = reduce(add, counts)
    dice = 1.0 if total.dice is None else total.dice
    single = [c.dice for c in counts if c.dice is not None]
    header = ("pixel Dice (all)", "Dice per slice with stone", "stones", "found", "sensitivity", "false per slice")
    sensitivity = f"{total.hit / total.stones:.3f}" if total.stones else None
    row: tuple[Cell, ...] = (f"{dice:.4f}", str(Spread.of(single)) if single else None, total.stones, total.hit)
    note = f"{len(counts)} slices. A stone is found if a pixel of it is; one that touches none is false."
    rows = [(*row, sensitivity, f"{total.false / len(counts):.3f}")]
    return ScoreTable("touched_stones", "Stones of slices", note, header, rows)
