"""The DICOM files behind a volume: only Slicer's DICOM database knows them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import slicer

_UIDS = "DICOM.instanceUIDs"


def instanceUids(volume: Any) -> list[str]:
    """Returns the SOP instance UIDs that a volume node was loaded from; none if it was not loaded from DICOM."""
    return ((volume.GetAttribute(_UIDS) if volume is not None else None) or "").split()


def referToInstances(volume: Any, uids: list[str]) -> None:
    """Lets a volume node say, as Slicer does, that it was loaded from these SOP instances."""
    volume.SetAttribute(_UIDS, " ".join(uids))


def filesInDatabase(volume: Any) -> list[Path]:
    """Returns the files that a volume node was loaded from; none if one of them is no longer there."""
    uids, database = instanceUids(volume), getattr(slicer, "dicomDatabase", None)
    files = [Path(name) for name in (database.fileForInstance(uid) for uid in uids if database is not None) if name]
    whole = len(files) == len(uids) and all(file.is_file() for file in files)
    return sorted(set(files)) if whole else []


def placeFile(file: Path, target: Path) -> None:
    """Puts a file into another folder: a link, or a copy where the system allows none."""
    try:
        os.symlink(file, target)
    except OSError:
        shutil.copyfile(file, target)
