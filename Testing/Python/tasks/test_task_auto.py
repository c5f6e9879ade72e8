"""`--task auto`: what is one slice, and which pipeline gets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writing import even_positions, write_field
from PIL import Image
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError
from KidneySegLib.readers.probe import InputProbe
from KidneySegLib.tasks.registry import task_for


def image(path: Path, shape: tuple[int, int, int], direction: tuple[int, ...] | None = None) -> Path:
    """Writes an image file of this shape ``(k, j, i)``."""
    made = sitk.GetImageFromArray(np.zeros(shape, np.int16))
    if direction is not None:
        made.SetDirection(direction)
    sitk.WriteImage(made, str(path))
    return path


def dicom(folder: Path, count: int) -> Path:
    return write_field(folder, even_positions((0, 0, 0), (1, 0, 0, 0, 1, 0), 2.0, count))[0]


def test_the_axis_towards_the_head_counts(tmp_path: Path) -> None:
    assert task_for(InputProbe(image(tmp_path / "one.nii.gz", (1, 8, 9)))).name == "ct-slice"
    assert task_for(InputProbe(image(tmp_path / "volume.nrrd", (5, 8, 9)))).name == "ct"
    coronal = (1, 0, 0, 0, 0, 1, 0, 1, 0)  # the second axis runs to the head
    assert task_for(InputProbe(image(tmp_path / "coronal.mha", (8, 1, 9), coronal))).name == "ct-slice"
    assert task_for(InputProbe(image(tmp_path / "one_coronal.mha", (1, 8, 9), coronal))).name == "ct"


def test_a_file_of_a_longer_series_is_no_single_slice(tmp_path: Path) -> None:
    assert task_for(InputProbe(dicom(tmp_path / "one", 1))).name == "ct-slice"
    assert task_for(InputProbe(tmp_path / "one")).name == "ct-slice"
    assert task_for(InputProbe(dicom(tmp_path / "series", 4))).name == "ct"
    assert task_for(InputProbe(tmp_path / "series")).name == "ct"


def test_what_cannot_be_read_is_left_to_the_reader_to_explain(tmp_path: Path) -> None:
    (tmp_path / "broken.nii.gz").write_bytes(b"nothing")
    assert task_for(InputProbe(tmp_path / "broken.nii.gz")).name == "ct"
    assert task_for(InputProbe(tmp_path / "missing")).name == "ct"


@pytest.mark.parametrize("kind", ["picture", "volume"])
def test_the_command_takes_the_pipeline_that_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Each pipeline says something else of the option that only one of them has."""
    monkeypatch.chdir(tmp_path)
    if kind == "picture":
        path = tmp_path / "slice.png"
        Image.new("L", (64, 64)).save(path)
        arguments, word = [], "does not state its pixel size"
    else:
        path = image(tmp_path / "volume.nii.gz", (5, 8, 9))
        arguments, word = ["--pixel-mm", "1"], "belong to pictures of single slices"
    done = CliRunner().invoke(
        app, ["segment", str(path), "--task", "auto", "-o", "out", "--progress", "none", *arguments]
    )
    assert isinstance(done.exception, InputError) and word in str(done.exception)
