"""What a run was: ``run.json`` in its folder, from which tables and the bundle's card are filled."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from KidneySegLib.bundles.declaration import short_reason
from KidneySegLib.errors import InputError

RECORD = "run.json"


@dataclass(frozen=True)
class RunRecord:
    """A run up to its last checkpoint. It holds no names of exams or patients.

    Attributes:
        recipe: name of the stage, and the digest of everything that the recipe says.
        seconds: of training in all sessions, validation included.
        steps: optimiser steps taken.
        epoch: finished epochs.
        epochs: of the whole schedule.
        best: best validation score so far; -1 before the first.
        stopped_early: whether no epoch had become better for as long as the recipe waits.
        exams: that were trained on.
        patients: that they belong to.
        validation_exams: that the weights are chosen by.
        device: what it ran on.
        processes: that took part.
        torch: its version.
        kidneyseg: version of this library.
    """

    recipe: str
    seconds: float
    steps: int
    epoch: int
    epochs: int
    best: float
    stopped_early: bool
    exams: int
    patients: int
    validation_exams: int
    device: str
    processes: int
    torch: str
    kidneyseg: str


def write_record(folder: Path, record: RunRecord) -> None:
    """Writes ``run.json`` so that an interruption leaves the old one whole."""
    partial = folder / f"{RECORD}.partial"
    partial.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / RECORD)


def read_record(folder: Path) -> RunRecord:
    """Reads ``run.json``.

    Raises:
        InputError: there is none, or it is damaged.
    """
    try:
        return TypeAdapter(RunRecord).validate_json((folder / RECORD).read_bytes())
    except OSError as error:
        raise InputError(f"The folder of the run has no {RECORD}. Give the --output of 'kidneyseg train'.") from error
    except ValidationError as error:
        raise InputError(f"{RECORD} of the run is damaged ({short_reason(error)}).") from error
