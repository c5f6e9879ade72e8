"""A task that comes from outside goes the whole way: one file and one recipe, and nobody else knows of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from disc_task import Disc, disc_cases, read_discs
from PIL import Image
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError
from KidneySegLib.evaluation.cases import CASES
from KidneySegLib.measuring.correction import corrections
from KidneySegLib.readers.probe import InputProbe
from KidneySegLib.result_files.labels.files import write_nifti
from KidneySegLib.result_files.names import RESULT_FILES
from KidneySegLib.result_files.result import Result
from KidneySegLib.tasks import registry
from KidneySegLib.tasks.registry import all_tasks, register, task_for
from KidneySegLib.tasks.run import measure, run
from KidneySegLib.training.cases import READERS
from KidneySegLib.volume import Volume

RECIPE = Path(__file__).with_name("disc.toml")


@pytest.fixture(autouse=True, scope="module")
def disc() -> Iterator[None]:
    register(Disc())
    READERS["disc"], CASES["disc"] = read_discs, disc_cases
    yield
    del registry._TASKS["disc"]
    del READERS["disc"], CASES["disc"]


def picture(centre: tuple[float, float], radius: float, seed: int, size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """A grey picture, uint8 ``(j, i)``, and where its disc is."""
    j, i = np.indices((size, size))
    inside = np.hypot(j - centre[0], i - centre[1]) <= radius
    noise = np.random.default_rng(seed).normal(0, 8, inside.shape)
    return np.clip(np.where(inside, 190, 90) + noise, 0, 255).astype(np.uint8), inside


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures to learn from and to validate on."""
    folder, rng = tmp_path_factory.mktemp("discs"), np.random.default_rng(0)
    for name, count in (("train", 12), ("validation", 4)):
        (folder / name).mkdir()
        for number in range(count):
            grey, inside = picture(tuple(rng.uniform(16, 48, 2)), rng.uniform(5, 12), number)
            Image.fromarray(grey).save(folder / name / f"{number}.pgm")
            Image.fromarray(inside.astype(np.uint8) * 255).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def bundle(data: Path, disc: None) -> Path:
    """The bundle of a network that has learnt what a disc is."""
    output = call("train", RECIPE, "--data", data, "-o", data / "run", "--device", "cpu")
    assert "Epoch 4 of 4" in output
    said = ("--version", "1", "--licence", "none", "--title", "Discs")
    call("export", f"{RECIPE}={data / 'run'}", "-o", data / "discs", *said)
    return data / "discs"


def call(*arguments: object) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def save(folder: Path) -> tuple[Path, np.ndarray]:
    grey, inside = picture((30, 24), 9, 1)
    Image.fromarray(grey).save(folder / "picture.pgm")
    return folder / "picture.pgm", inside


def test_it_is_in_the_list_and_known_by_its_input(tmp_path: Path) -> None:
    assert [task.name for task in all_tasks()] == ["ct", "ct-slice", "ultrasound", "disc"]
    assert task_for(InputProbe(save(tmp_path)[0])).name == "disc"
    assert task_for(InputProbe(tmp_path / "picture.png")).name == "ct-slice"


def test_an_input_that_two_tasks_take_is_not_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(Disc):
        name = "other"

    monkeypatch.setitem(registry._TASKS, "other", Other())
    with pytest.raises(InputError, match="--task: disc or other"):
        task_for(InputProbe(save(tmp_path)[0]))


def test_it_segments_and_is_measured_again(tmp_path: Path, bundle: Path) -> None:
    source, inside = save(tmp_path)
    stages: list[str] = []
    result = run("disc", source, model=str(bundle), device="cpu", progress=lambda stage, *_: stages.append(stage))
    assert {"read", "load", "disc", "measure"} <= set(stages)
    assert set(result.findings.provenance.seconds) == {"read", "load", "disc", "measure"}
    found = result.segmentation.labels[0] > 0
    assert 2 * (found & inside).sum() / (found.sum() + inside.sum()) > 0.95
    (lesion,) = result.findings.lesions
    assert lesion.measures.axial_diameter_mm == pytest.approx(19, abs=1.5)
    assert lesion.measures.hu_mean == pytest.approx(190, abs=5)
    assert [path.name for path in result.write(tmp_path / "out")] == list(RESULT_FILES)

    labels = np.where(inside & (np.indices(inside.shape)[0] < 30), 4, 0).astype(np.uint8)[None]
    write_nifti(tmp_path / "mine.nii.gz", result.image.stored, labels)
    again = measure(source, tmp_path / "mine.nii.gz", previous=tmp_path / "out")
    assert again.findings.task == "disc" and set(corrections(again.findings)) == {"cyst"}
    assert [lesion.id for lesion in again.findings.lesions] == ["C1"]
    assert again.findings.lesions[0].measures.voxels == int((labels > 0).sum())


def test_it_is_cross_validated(tmp_path: Path, data: Path) -> None:
    output = call(
        "crossvalidate",
        RECIPE,
        "--data",
        data,
        "-o",
        tmp_path,
        "--device",
        "cpu",
        "--epochs",
        "1",
        "--steps-per-epoch",
        "5",
    )
    assert "2-fold cross-validation, 12 slices of 12 patients" in output
    assert (tmp_path / "comparison.png").is_file()


def test_it_is_evaluated(tmp_path: Path, data: Path, bundle: Path) -> None:
    options = ("--task", "disc", "--model", bundle, "--device", "cpu")
    output = call("evaluate", data / "validation", "-o", tmp_path, *options)
    assert "4 of 4 patients, mean ± sd" in output
    with (tmp_path / "overlap_by_case.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == ["0", "1", "2", "3"]
    assert min(float(row["dice"]) for row in rows) > 0.9
    assert Result.read(tmp_path / "2").findings.task == "disc"


def test_commands_segment_report_and_measure_it(tmp_path: Path, bundle: Path) -> None:
    source, inside = save(tmp_path)
    out = tmp_path / "out"
    call("segment", source, "-o", out, "--task", "auto", "--model", bundle, "--device", "cpu", "--progress", "none")
    read = Result.read(out)
    assert read.findings.task == "disc" and read.findings.provenance.bundles[0].name == "discs"
    call("report", out, "--image", source)
    assert (out / "report.pdf").is_file() and "C1" in (out / "report.html").read_text(encoding="utf-8")
    grid = Volume(np.zeros((1, *inside.shape)), np.eye(4))
    write_nifti(tmp_path / "mine.nii.gz", grid, np.where(inside, 4, 0).astype(np.uint8)[None])
    call("measure", source, tmp_path / "mine.nii.gz", "-o", tmp_path / "again", "--progress", "none")
    assert Result.read(tmp_path / "again").findings.task == "disc"
    other = replace(read.findings, provenance=replace(read.findings.provenance, settings={"task": "unknown"}))
    (out / "findings.json").write_text(other.to_json(), encoding="utf-8")
    with pytest.raises(InputError, match="no task 'unknown'"):
        call("report", out, "--image", source)
