"""A signal to stop that arrives while a file is read: the file is not damaged, and the run ends."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_writing import even_positions, write_series

from KidneySegLib.commands.app import _stop
from KidneySegLib.deidentification.folder import deidentify
from KidneySegLib.errors import Cancelled
from KidneySegLib.readers.dicom.ct import read_ct

COMMANDS: list[Callable[[Path, Path], object]] = [
    lambda series, output: read_ct(series),
    lambda series, output: deidentify(series, output, b"k" * 32),
]


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Makes the signal arrive in the middle of reading the given file."""
    before = signal.signal(signal.SIGTERM, _stop)
    read, calls = pydicom.dcmread, [0]

    def stop(number: int) -> None:
        def interrupted(*arguments: object, **options: object) -> object:
            calls[0] += 1
            if calls[0] == number:
                signal.raise_signal(signal.SIGTERM)
            return read(*arguments, **options)

        monkeypatch.setattr(pydicom, "dcmread", interrupted)

    yield stop
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("file", [1, 3, 9, 12])
@pytest.mark.parametrize("command", COMMANDS, ids=["read", "deidentify"])
def test_a_stop_is_not_taken_for_a_damaged_file(
    tmp_path: Path, stop_at: Callable[[int], None], command: Callable[[Path, Path], object], file: int
) -> None:
    images = np.full((8, 16, 16), 40)
    write_series(tmp_path / "ct", images, even_positions((0, 0, 0), (1, 0, 0, 0, 1, 0), 2.0, len(images)))
    stop_at(file)
    with pytest.raises(Cancelled) as stopped:
        command(tmp_path / "ct", tmp_path / "out")
    assert stopped.value.exit_code == 143
    assert [path.name for path in tmp_path.iterdir()] == ["ct"]
