#!/usr/bin/env python3
"""Whether the shipped recipes still draw the training patches that they drew: hashes before and after a change.

    python Testing/Golden/training_patches.py ../shared/data --prepared prepared --write before.json
    python Testing/Golden/training_patches.py ../shared/data --prepared prepared --compare before.json

Patch n depends on the recipe's seed and on n alone. Exams are prepared once at 2 mm, for all recipes of volumes: a
patch can be drawn from any store. Hashes are those of one machine and one version of torch.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import torch

from KidneySegLib.datasets.exams import prepare_exam
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.resources import resource_folder
from KidneySegLib.training.cases import shape_library, training_exams
from KidneySegLib.training.patches import Patches
from KidneySegLib.training.recipe import Recipe, find_recipe, read_recipe

EXAMS = ("C1", "K0", "CE", "TA", "lidc0314_chest")
STORE_MM = (2.0, 2.0, 2.0)
NUMBERS = range(0, 8 * 37, 37)


def hashes(recipe: Recipe, data: Path, cache: Path, known: dict[str, LabelledExam]) -> list[str]:
    """Returns one hash for image and target of each patch."""
    names = [name for name in recipe.data.train if Path(name).name in EXAMS]
    if recipe.data.slices is None:
        for name in names:
            known[name] = known.get(name) or prepare_exam(data / name, STORE_MM, cache)
        exams = [known[name] for name in names]
    else:
        less = recipe.data.model_copy(update={"train": tuple(names)})
        exams = training_exams(recipe.model_copy(update={"data": less}), data, cache)
    patches = Patches(recipe, exams, shape_library(recipe, data, cache, exams))
    return [" ".join(_hash(part) for part in patches[number]) for number in NUMBERS]


def _hash(values: torch.Tensor) -> str:
    return hashlib.sha256(values.contiguous().numpy().tobytes()).hexdigest()[:16]


def main() -> None:
    """Writes or compares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder that the recipes' exams lie in")
    parser.add_argument("--prepared", type=Path, required=True, help="folder of prepared exams")
    parser.add_argument("--recipes", nargs="*", help="by name; all shipped ones by default")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--compare", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    names = args.recipes or sorted(path.stem for path in (resource_folder() / "Recipes").glob("*.toml"))
    before = json.loads(args.compare.read_text()) if args.compare else {}
    known: dict[str, LabelledExam] = {}
    now = {}
    for name in names:
        now[name] = hashes(read_recipe(find_recipe(name)), args.data, args.prepared, known)
        if name in before:
            same = sum(a == b for a, b in zip(now[name], before[name], strict=True))
            print(f"{name}: {same} of {len(now[name])} patches are the same", flush=True)
    if args.write:
        args.write.write_text(json.dumps(now, indent=1) + "\n")


if __name__ == "__main__":
    main()
