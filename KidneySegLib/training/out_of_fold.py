"""What a fold's network says of the exams that it did not see: scores, files, pictures, in one pass over them."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.evaluation.classwise import confusion
from KidneySegLib.evaluation.outline_pictures import Compared
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.structures import BY_KEY
from KidneySegLib.training.fitting.validation import Outlines, Region, Score, outlines, region_scores, regions
from KidneySegLib.training.recipe import Recipe

# Exams per fold in the side-by-side picture: the worst, the middle and the best one.
SHOWN = (0.0, 0.5, 1.0)
_LESIONS = ("mass", "cyst")


@dataclass(frozen=True, eq=False)
class Judged:
    """Of one fold.

    Attributes:
        scores: of its exams.
        pictures: of the worst, the middle and the best exam, each in the slice with most of the organ.
        confusions: voxels of kidney, mass and cyst of each exam, see ``evaluation.classwise.confusion``; none unless
            the network outlines the kidney and lesions.
    """

    scores: tuple[Score, ...]
    pictures: tuple[Compared, ...]
    confusions: tuple[np.ndarray, ...]


def judge(predictor: Predictor, recipe: Recipe, exams: Sequence[LabelledExam], folder: Path) -> Judged:
    """Runs a network on exams that it did not see, and keeps what it says.

    ``folder`` gets one compressed file per region, called by its number in the fold, which holds on the prepared grid
    ``(k, j, i)``: ``spacing`` (mm along k, j, i), and by output ``NAME_percent`` (probability, uint8), ``NAME_found``
    and ``NAME_reference`` (bool, packed by ``numpy.packbits`` along the flattened array; ``shape`` says how to unpack
    them). ``regions.csv`` says which region a file holds.

    Args:
        predictor: the network.
        recipe: says in which regions it is scored.
        exams: of the fold.
        folder: for the files; made if it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scores: list[Score] = []
    pictures: list[tuple[float, Compared]] = []
    confusions: list[np.ndarray] = []
    rows: list[tuple[str, str, str]] = []
    classes = "kidney" in predictor.stage.network.outputs and set(_LESIONS) & set(predictor.stage.network.outputs)
    for region in (region for exam in exams for region in regions(exam, recipe.validation)):
        found = outlines(predictor, region, recipe.validation)
        own = region_scores(region, found)
        scores += own
        rows.append((f"{len(rows) + 1:04d}", region.name, region.patient))
        _keep(region, found, folder / f"{rows[-1][0]}.npz")
        if classes:
            confusions.append(_confusion(region, found))
        if own:
            pictures.append((own[0].overlap.dice, _picture(region, found, own[0].overlap.dice)))
    with (folder / "regions.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "region", "patient"), *rows])
    pictures.sort(key=lambda pair: pair[0])
    chosen = dict.fromkeys(round(share * (len(pictures) - 1)) for share in SHOWN) if pictures else ()
    return Judged(tuple(scores), tuple(pictures[n][1] for n in chosen), tuple(confusions))


def _keep(region: Region, found: Outlines, path: Path) -> None:
    arrays: dict[str, np.ndarray] = {"spacing": np.array(region.spacing), "shape": np.array(region.hu.shape)}
    for output, (probability, _, kept) in found.items():
        arrays[f"{output}_percent"] = np.rint(100 * probability).astype(np.uint8)
        arrays[f"{output}_found"] = np.packbits(kept)
        arrays[f"{output}_reference"] = np.packbits(region.reference(output))
    np.savez_compressed(path, allow_pickle=False, **arrays)


def _confusion(region: Region, found: Outlines) -> np.ndarray:
    """Counts voxels of kidney, mass and cyst; sides do not matter here, and a lesion without an output is kidney."""
    maps = np.zeros((2, *region.hu.shape), np.uint8)
    labels = {
        "kidney": BY_KEY["kidney_right"].label,
        **{name: BY_KEY[name].label for name in _LESIONS if name in found},
    }
    for name, label in labels.items():
        maps[0][found[name][2]], maps[1][region.reference(name)] = label, label
    return confusion(maps[0], maps[1])


def _picture(region: Region, found: Outlines, dice: float) -> Compared:
    output, (_, outline, kept) = next(iter(found.items()))
    reference = region.reference(output)
    k = int(reference.sum(axis=(1, 2)).argmax())
    # copies, so that a picture does not keep its exam
    shown = {"manual": reference[k], "automatic (threshold)": outline[k], "post-processed": kept[k]}
    title = f"{region.name}\nDice {dice:.3f}"
    return Compared(title, region.hu[k].copy(), {name: mask.copy() for name, mask in shown.items()})
