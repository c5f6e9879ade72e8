"""The 2D pipeline against reference masks, slice by slice on each slice's own grid."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.bundles.rules import OutlineRules
from KidneySegLib.datasets.slices import SliceEntry, read_grey, read_list
from KidneySegLib.errors import InputError
from KidneySegLib.evaluation.metrics import Overlap, Spread, overlap
from KidneySegLib.evaluation.outline_pictures import Compared, draw_boxes, draw_comparison
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.readers.input import read_slice
from KidneySegLib.segmentation.slices.pipeline import calibrated, mark_stones, outline_slice
from KidneySegLib.structures import BY_KEY

# Where the list states no pixel size: that of an abdomen of 410 mm over 512 pixels.
PIXEL_MM = 0.8
PICTURES = 8


@dataclass(frozen=True)
class StoneCounts:
    """Agreement on the stones of one slice.

    Attributes:
        both: pixels that are stone in both.
        found: pixels found.
        reference: pixels of the reference.
        stones: connected stones of the reference.
        hit: how many of these were touched by what was found.
        false: connected stones found that touch none of the reference.
    """

    both: int
    found: int
    reference: int
    stones: int
    hit: int
    false: int


@dataclass(frozen=True)
class SliceResult:
    """What came out for one slice.

    Attributes:
        name: number of the slice.
        patient: from the list.
        kidneys: agreement, None where no kidneys were drawn.
        stones: agreement, None where no stone mask exists.
        picture: outlines for a picture, None where no kidneys were drawn.
    """

    name: str
    patient: str
    kidneys: Overlap | None
    stones: StoneCounts | None
    picture: Compared | None


def evaluate_folder(folder: Path, predictor: Predictor, rules: OutlineRules) -> Iterator[SliceResult]:
    """Runs the pipeline on every slice of a folder of slices.

    Raises:
        InputError: a file is missing or cannot be read.
    """
    for entry in read_list(folder):
        yield _evaluate(folder, entry, predictor, rules)


def _evaluate(folder: Path, entry: SliceEntry, predictor: Predictor, rules: OutlineRules) -> SliceResult:
    file = f"{entry.number}.png"
    volume = read_slice(folder / "images" / file, pixel_mm=entry.pixel_mm or PIXEL_MM).volume
    outline = outline_slice(volume, predictor, rules)
    volume, _, _ = calibrated(volume, outline.labels)
    labels, _ = mark_stones(volume, outline.labels)
    kidneys = picture = stones = None
    if entry.has_kidneys:
        reference = _reference(folder / "kidneys" / file, volume.voxels.shape[1:])
        probability, found = outline.probability[0], outline.labels[0] > 0
        kidneys = overlap(found, probability, reference)
        title = f"{entry.patient} {entry.number}\nDice {kidneys.dice:.3f}"
        picture = Compared(title, volume.voxels[0], reference, probability > predictor.stage.threshold, found)
    if (folder / "stones" / file).is_file():
        reference = _reference(folder / "stones" / file, volume.voxels.shape[1:])
        stones = count_stones(labels[0] == BY_KEY["stone"].label, reference)
    return SliceResult(str(entry.number), entry.patient, kidneys, stones, picture)


def count_stones(found: np.ndarray, reference: np.ndarray) -> StoneCounts:
    """Compares two bool masks ``(j, i)``; pixels that touch at a corner belong to one stone."""
    import cc3d

    both = found & reference
    hit = found_apart = stones = 0
    if reference.any():
        bodies, stones = cc3d.connected_components(reference, connectivity=8, return_N=True)
        hit = np.unique(bodies[both]).size
    if found.any():
        bodies, count = cc3d.connected_components(found, connectivity=8, return_N=True)
        found_apart = count - np.unique(bodies[both]).size
    return StoneCounts(int(both.sum()), int(found.sum()), int(reference.sum()), int(stones), int(hit), int(found_apart))


def make_table(results: Sequence[SliceResult]) -> str:
    """Returns the paper's table and one on stones as Markdown."""
    text = ""
    scored = [r for r in results if r.kidneys is not None]
    if scored:
        patients = sorted({r.patient for r in scored})
        text += (
            f"Kidneys, {len(scored)} slices of {len(patients)} patients, mean ± sd. Loss: mean binary cross-entropy "
            "per pixel.\n\n| over | Dice | IoU | loss |\n|---|---|---|---|\n"
        )
        text += _spread_row("slices", [[r.kidneys] for r in scored if r.kidneys])
        text += _spread_row("patients", [[r.kidneys for r in scored if r.patient == p and r.kidneys] for p in patients])
    counted = [r.stones for r in results if r.stones is not None]
    if counted:
        text += ("\n" if text else "") + _stone_table(counted)
    return text


def _spread_row(name: str, groups: Sequence[Sequence[Overlap]]) -> str:
    def spread(value: Callable[[Overlap], float]) -> Spread:
        return Spread.of([Spread.of([value(score) for score in group]).mean for group in groups])

    columns = (spread(lambda s: s.dice), spread(lambda s: s.iou), spread(lambda s: s.loss))
    return f"| {name} | {' | '.join(map(str, columns))} |\n"


def _stone_table(counts: Sequence[StoneCounts]) -> str:
    total = StoneCounts(*(sum(getattr(c, name) for c in counts) for name in StoneCounts.__dataclass_fields__))
    pixels = total.found + total.reference
    dice = 2 * total.both / pixels if pixels else 1.0
    single = [2 * c.both / (c.found + c.reference) for c in counts if c.found + c.reference]
    spread = str(Spread.of(single)) if single else ""
    sensitivity = f"{total.hit / total.stones:.3f}" if total.stones else ""
    header = ("pixel Dice (all)", "Dice per slice with stone", "stones", "found", "sensitivity", "false per slice")
    row = (f"{dice:.4f}", spread, total.stones, total.hit, sensitivity, f"{total.false / len(counts):.3f}")
    return (
        f"Stones, {len(counts)} slices.\n\n| {' | '.join(header)} |\n|{'---|' * len(header)}\n"
        f"| {' | '.join(map(str, row))} |\n"
    )


def write_evaluation(output: Path, results: Sequence[SliceResult]) -> str:
    """Writes table, list and pictures into ``output`` and returns the table.

    Raises:
        OSError: they cannot be written.
    """
    output.mkdir(parents=True, exist_ok=True)
    text = make_table(results)
    (output / "slices.md").write_text(text, encoding="utf-8")
    fields = list(StoneCounts.__dataclass_fields__)
    with (output / "slices.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("slice", "patient", "dice", "iou", "loss", *(f"stone_{name}" for name in fields)))
        for r in results:
            kidneys = (f"{v:.5f}" for v in (r.kidneys.dice, r.kidneys.iou, r.kidneys.loss)) if r.kidneys else [""] * 3
            stones = (getattr(r.stones, name) for name in fields) if r.stones else [""] * len(fields)
            writer.writerow((r.name, r.patient, *kidneys, *stones))
    scored = sorted((r for r in results if r.kidneys and r.picture), key=lambda r: r.kidneys.dice if r.kidneys else 0)
    if scored:
        draw_boxes([[r.kidneys for r in scored if r.kidneys]], output / "boxes.png", name="all slices")
        chosen = np.unique(np.linspace(0, len(scored) - 1, PICTURES).round().astype(int))
        draw_comparison([r.picture for n in chosen if (r := scored[n]).picture], output / "comparison.png")
    return text


def _reference(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Reads a mask of the image's size, bool ``(j, i)``."""
    mask = read_grey(path) > 0
    if mask.shape != shape:
        raise InputError(f"'{path.parent.name}/{path.name}' does not have the size of its image.")
    return mask
