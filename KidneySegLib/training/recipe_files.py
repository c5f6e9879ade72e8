"""What recipes for volumes and for slices have in common."""

from __future__ import annotations

import tomllib
from pathlib import Path

from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.errors import InputError


def is_slice_recipe(path: Path) -> bool:
    """Whether a recipe is one for slices: it counts in epochs, which recipes for volumes do not."""
    try:
        return "epochs" in tomllib.loads(path.read_text(encoding="utf-8")).get("schedule", {})
    except (OSError, tomllib.TOMLDecodeError):
        return False  # what is wrong with the file is for its reader to say


def read_stage(path: Path) -> StagePlan:
    """Reads the plan of the stage that a recipe trains.

    Raises:
        InputError: the file is missing, is not TOML, or has no stage.
        BundleError: the plan is not valid.
    """
    try:
        return StagePlan.from_dict(tomllib.loads(path.read_text(encoding="utf-8"))["stage"])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"The recipe cannot be read: {error}") from error
    except KeyError as error:
        raise InputError(f"The recipe '{path.name}' has no stage.") from error
