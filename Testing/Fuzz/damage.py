"""Damage to single files: cuts, wrong bytes, wrong values in the header, applied to files that were written well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import FileDataset

from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom


def cut(path: Path, size: int) -> None:
    """Keeps the first bytes only."""
    path.write_bytes(path.read_bytes()[:size])


def flip(path: Path, generator: np.random.Generator, count: int, start: int = 132) -> None:
    """Gives ``count`` bytes behind ``start`` other values."""
    data = bytearray(path.read_bytes())
    for place in generator.integers(start, len(data), count):
        data[place] ^= int(generator.integers(1, 256))
    path.write_bytes(data)


def change(paths: list[Path], alter: Callable[[FileDataset, int], None], only: set[int] | None = None) -> None:
    """Changes the data sets of files; whatever does not fit the standard is written as it is."""
    for number, path in enumerate(paths):
        if only is None or number in only:
            with quiet_pydicom():
                dataset = dcmread(path)
                alter(dataset, number)
                dataset.save_as(path, enforce_file_format=True)


def put(paths: list[Path], keyword: str, value: Any, only: set[int] | None = None) -> None:
    """Replaces the raw bytes of one value in the files, without a look at what the standard allows.

    Args:
        paths: the files.
        keyword: the attribute.
        value: text or bytes; None leaves the attribute out.
        only: numbers of the files; None for all.
    """
    from pydicom.datadict import tag_for_keyword
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    tag = Tag(tag_for_keyword(keyword))

    def alter(dataset: FileDataset, number: int) -> None:
        old = dataset.get(tag)
        if old is not None:
            del dataset[tag]
        if value is None:
            return
        data = value if isinstance(value, bytes) else value.encode("latin-1")
        data += b" " * (len(data) % 2)
        vr = old.VR if old is not None else "LO"
        dataset._dict[tag] = RawDataElement(tag, vr, len(data), data, 0, False, True)

    change(paths, alter, only)
