"""A recording on disk: of each exam one file of plain data and one of voxels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

DATA, VOXELS, ABOUT = "record.json", "voxels.npz", "recording.json"


@dataclass(frozen=True)
class Record:
    """What the engine said about one exam.

    Attributes:
        data: plain values by folder and file of the result, such as ``data["segment"]["findings.json"]``.
        voxels: arrays by the same place, such as ``voxels["segment/labels.nii.gz"]``.
    """

    data: dict[str, Any]
    voxels: dict[str, np.ndarray]


def write_record(folder: Path, record: Record) -> None:
    """Writes a record; the file of plain data comes last, so that an exam which has it is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / VOXELS, **record.voxels)
    partial = folder / f"{DATA}.partial"
    partial.write_text(json.dumps(record.data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.rename(folder / DATA)


def read_record(folder: Path) -> Record:
    """Reads what ``write_record`` wrote."""
    with np.load(folder / VOXELS) as file:
        voxels = {name: file[name] for name in file.files}
    return Record(json.loads((folder / DATA).read_text(encoding="utf-8")), voxels)


def has_record(folder: Path) -> bool:
    """Whether a complete record lies in the folder."""
    return (folder / DATA).is_file()


def names(recording: Path) -> Iterator[str]:
    """Returns the exams of a recording by name."""
    for path in sorted(recording.rglob(DATA)):
        yield path.parent.relative_to(recording).as_posix()
