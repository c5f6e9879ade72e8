#!/usr/bin/env python3
"""How well clicks correct the engine's own errors: a simulated reader, five clicks for every structure and lesion.

    kidneyseg segment ../shared/data/ct/validation/T1/image.nii.gz --output results/T1      # and so on
    python Testing/Benchmarks/click_corrections.py ../shared/data/ct/validation --results results
    python Testing/Benchmarks/click_corrections.py ../shared/data/ct/train --spoiled

The reader clicks into the centre (deepest voxel) of the largest part that is wrong: more of the structure where it is
missing, less of it where it is too much. `--results` starts from label maps of the engine; `--spoiled` from references
of which a lesion was left out, a part was lost, or a part leaked. Constants of the clicks were chosen on spoiled
references of training exams alone.

Tables: Dice and surface Dice (2 mm) before and after each click, the mean over all exams, of whole structures and of
single lesions; the share of missed and half-missed lesions that reach a Dice of 0.85 within three clicks; processor
time of the answers.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cc3d
import numpy as np
from scipy.ndimage import distance_transform_edt

from KidneySegLib.evaluation.metrics import agreement
from KidneySegLib.segmentation.interactive.session import Session
from KidneySegLib.structures import BY_KEY, BY_LABEL, KIDNEYS
from KidneySegLib.volume import Volume, read_image

CLICKS, GOAL, GOAL_CLICKS = 5, 0.85, 3
# Dice before the first click
MISSED, HALF_MISSED = 0.2, 0.75
# ml; smaller ones are not played
SMALLEST = {"mass": 0.3, "cyst": 0.3, "stone": 0.03}
MARGIN_MM = 70.0
KIDNEY_LABELS = [kidney.label for kidney in KIDNEYS.values()]


@dataclass(frozen=True)
class Game:
    """One structure or lesion to be corrected, in a box of its exam.

    Attributes:
        group: row of the table.
        name: exam and structure.
        image: HU.
        start: label map to begin with.
        label: of the structure.
        target: bool, what is true.
        counted: bool, where errors count; other lesions of the same kind lie outside.
    """

    group: str
    name: str
    image: Volume
    start: np.ndarray
    label: int
    target: np.ndarray
    counted: np.ndarray


@dataclass
class Played:
    """Scores before and after each click, and processor time of each answer in seconds."""

    dice: list[float] = field(default_factory=list)
    surface: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def play(game: Game) -> Played:
    """Lets the reader click."""
    session = Session(game.image, game.start)
    spacing = game.image.spacing[::-1]
    played = Played()
    for turn in range(CLICKS + 1):
        found = (session.labels == game.label) & game.counted
        scores = agreement(found, game.target, spacing)
        played.dice.append(scores.dice)
        played.surface.append(scores.surface_dice)
        wrong = found != game.target
        if turn == CLICKS or not wrong.any():
            break
        place = deepest(wrong, spacing)
        begun = time.process_time()
        session.click(place, game.label, adds=bool(game.target[tuple(place)]))
        played.seconds.append(time.process_time() - begun)
    rest = CLICKS + 1 - len(played.dice)
    played.dice += rest * played.dice[-1:]
    played.surface += rest * played.surface[-1:]
    return played


def deepest(wrong: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    """Returns the voxel ``(k, j, i)`` deepest in the largest piece."""
    pieces = cc3d.connected_components(wrong, connectivity=26)
    statistics = cc3d.statistics(pieces)
    largest = int(np.argmax(statistics["voxel_counts"][1:])) + 1
    box = statistics["bounding_boxes"][largest]
    depth = distance_transform_edt(np.pad(pieces[box] == largest, 1), sampling=spacing)
    return np.array(np.unravel_index(depth.argmax(), depth.shape)) - 1 + [part.start for part in box]


def games_of(exam: Path, results: Path) -> Iterator[Game]:
    """Games of the engine's errors in an exam: whole structures, and single lesions."""
    image, reference = read_pair(exam)
    found = read_image(results / exam.name / "labels.nii.gz").canonical().voxels
    for label, structure in BY_LABEL.items():
        target = reference == label
        if target.any() or (found == label).any():
            kind = "kidneys" if label in KIDNEY_LABELS else structure.name.lower()
            yield Game(f"structure: {kind}", f"{exam.name} {structure.key}", image, found, label, target, np.True_)
    for label, target, others in lesions(reference, image):
        part = around(target, image)
        yield lesion_game(image.crop(part), found[part], label, target[part], others[part], exam.name)


def lesion_game(
    image: Volume, found: np.ndarray, label: int, target: np.ndarray, others: np.ndarray, exam: str
) -> Game:
    """Returns the game of one lesion: what was found counts to the lesion of its kind that lies nearest."""
    spacing = image.spacing[::-1]
    counted = distance_transform_edt(~target, sampling=spacing) <= (
        distance_transform_edt(~others, sampling=spacing) if others.any() else np.inf
    )
    pieces = cc3d.connected_components((found == label) & counted, connectivity=26)
    own = np.isin(pieces, np.setdiff1d(np.unique(pieces[target]), 0))
    counted &= own | (found != label)
    dice = agreement(own, target, spacing).dice
    state = "missed" if dice < MISSED else "half-missed" if dice < HALF_MISSED else "found"
    kind = "stone" if label == BY_KEY["stone"].label else "lesion"
    ml = np.count_nonzero(target) * image.voxel_volume / 1000
    return Game(f"{kind}: {state}", f"{exam} {BY_LABEL[label].key} {ml:.2g} ml", image, found, label, target, counted)


def spoiled_games(exam: Path, random: np.random.Generator) -> Iterator[Game]:
    """Games of references that were spoiled: a lesion missed, a part of a body lost, a part leaked."""
    image, reference = read_pair(exam)
    kidneys = ((label, reference == label, np.zeros(reference.shape, bool)) for label in KIDNEY_LABELS)
    for label, target, others in (*kidneys, *lesions(reference, image)):
        if not target.any():
            continue
        part = around(target, image)
        for how in ("missed", "lost", "leaked") if label not in KIDNEY_LABELS else ("lost", "leaked"):
            start = spoil(reference[part], target[part], label, how, image.spacing[::-1], random)
            kind = "kidney" if label in KIDNEY_LABELS else BY_LABEL[label].name.lower()
            yield Game(f"{kind}: {how}", f"{exam.name} {BY_LABEL[label].key}", image.crop(part), start, label,
                       target[part], ~others[part])  # fmt: skip


def spoil(
    reference: np.ndarray,
    body: np.ndarray,
    label: int,
    how: str,
    spacing: tuple[float, float, float],
    random: np.random.Generator,
) -> np.ndarray:
    """Returns a label map in which a body was missed, lost a part beyond a plane, or leaked by a ball."""
    labels = reference.copy()
    places = np.argwhere(body) * spacing
    if how == "leaked":
        depth = distance_transform_edt(body, sampling=spacing)
        rim = np.argwhere(body & (depth <= max(spacing)))
        centre = rim[random.integers(len(rim))] * spacing
        radius = max(4.0, depth.max() * random.uniform(0.7, 1.2))
        far = sum((axis * step - at) ** 2 for axis, step, at in zip(np.ogrid[tuple(map(slice, body.shape))], spacing,
                                                                    centre, strict=True))  # fmt: skip
        free = [0] if label in KIDNEY_LABELS else [0, *KIDNEY_LABELS]
        labels[(far <= radius**2) & np.isin(reference, free)] = label
        return labels
    lost = body.copy()
    if how == "lost":
        along = places @ random.normal(size=3)
        lost[tuple(np.argwhere(body)[along <= np.quantile(along, random.uniform(0.3, 0.7))].T)] = False
    labels[lost] = 0
    kidney = np.isin(reference, KIDNEY_LABELS)
    if label not in KIDNEY_LABELS and kidney.any():
        # a network takes for kidney what lies near it
        distance, nearest = distance_transform_edt(~kidney, sampling=spacing, return_indices=True)
        near = lost & (distance <= random.uniform(2, 12))
        labels[near] = reference[tuple(axis[near] for axis in nearest)]
    return labels


def lesions(reference: np.ndarray, image: Volume) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yields label, mask, and mask of all others of that kind, for each mass, cyst and stone that is large enough."""
    for key, smallest in SMALLEST.items():
        label = BY_KEY[key].label
        pieces = cc3d.connected_components(reference == label, connectivity=26)
        for number in range(1, int(pieces.max()) + 1):
            mask = pieces == number
            if np.count_nonzero(mask) * image.voxel_volume / 1000 >= smallest:
                yield label, mask, (pieces > 0) & ~mask


def around(mask: np.ndarray, image: Volume) -> tuple[slice, slice, slice]:
    """Returns the box of a mask with a margin."""
    places = np.argwhere(mask)
    margin = np.ceil(MARGIN_MM / np.array(image.spacing[::-1])).astype(int)
    low, high = np.maximum(0, places.min(axis=0) - margin), places.max(axis=0) + margin + 1
    k, j, i = (slice(int(a), int(min(b, size))) for a, b, size in zip(low, high, mask.shape, strict=True))
    return k, j, i


def read_pair(exam: Path) -> tuple[Volume, np.ndarray]:
    """Returns image and reference labels, axes in canonical order."""
    image = read_image(exam / "image.nii.gz").canonical()
    reference = read_image(exam / "mask.nii.gz").canonical().voxels.astype(np.uint8)
    return image.like(np.ascontiguousarray(image.voxels)), np.ascontiguousarray(reference)


def print_tables(groups: dict[str, list[Played]]) -> None:
    """Prints the tables."""
    for title, scores in (("Dice", "dice"), ("Surface Dice, 2 mm", "surface")):
        print(f"\n| {title} | n | before | " + " | ".join(f"click {n}" for n in range(1, CLICKS + 1)) + " |")
        print("|---" * (CLICKS + 3) + "|")
        for group, games in sorted(groups.items()):
            means = np.mean([getattr(game, scores) for game in games], axis=0)
            print(f"| {group} | {len(games)} | " + " | ".join(f"{value:.3f}" for value in means) + " |")
    missed = [game for group, games in groups.items() for game in games if "missed" in group and "stone" not in group]
    if missed:
        reached = sum(game.dice[GOAL_CLICKS] >= GOAL for game in missed)
        print(f"\nMissed and half-missed lesions with a Dice of {GOAL} within {GOAL_CLICKS} clicks:", end=" ")
        print(f"{reached} of {len(missed)}")
    seconds = [value for games in groups.values() for game in games for value in game.seconds]
    print(f"Processor time of {len(seconds)} answers: median {np.median(seconds):.2f} s, longest {max(seconds):.2f} s")


def main() -> None:
    """Plays all games of the exams in a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exams", type=Path, help="folder with a folder for each exam: image.nii.gz and mask.nii.gz")
    start = parser.add_mutually_exclusive_group(required=True)
    start.add_argument("--results", type=Path, help="folder with the engine's result folder for each exam")
    start.add_argument("--spoiled", action="store_true", help="start from spoiled references")
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    groups: dict[str, list[Played]] = defaultdict(list)
    for exam in sorted(folder for folder in arguments.exams.iterdir() if (folder / "mask.nii.gz").is_file()):
        if arguments.results and not (arguments.results / exam.name / "labels.nii.gz").is_file():
            print(f"{exam.name}: no result, left out")
            continue
        for game in spoiled_games(exam, random) if arguments.spoiled else games_of(exam, arguments.results):
            played = play(game)
            groups[game.group].append(played)
            print(f"{game.name:24} {game.group:24}", " ".join(f"{value:.3f}" for value in played.dice), flush=True)
    print_tables(groups)


if __name__ == "__main__":
    main()
