"""``kidneyseg evaluate`` with an engine that answers what the test wants."""

from types import SimpleNamespace

import numpy as np
import pytest
from evaluation_cases import GRID, SHAPE, made_labels
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.commands.evaluate import evaluate_exams
from KidneySegLib.errors import InputError, OutputError
from KidneySegLib.exam import Exam
from KidneySegLib.volume import Volume, read_image


def write(folder, labels=None):
    import SimpleITK as sitk

    folder.mkdir(parents=True)
    image = np.full(SHAPE, 30, np.int16)
    sitk.WriteImage(Volume(image, GRID).to_image(), str(folder / "image.nii.gz"))
    if labels is not None:
        sitk.WriteImage(Volume(labels, GRID).to_image(), str(folder / "mask.nii.gz"))


@pytest.fixture
def engine(monkeypatch):
    """Answers every run with ``answers[exam]``; the default is the made label map."""
    answers = {}

    def run(task, source, *, options, device, model):
        exam = Exam(read_image(source))
        labels = exam.order.apply(answers.get(source.parent.name, made_labels()))
        return SimpleNamespace(
            image=exam,
            segmentation=SimpleNamespace(labels=labels, network=None, confidence=None, candidates=()),
            write=lambda folder: folder.mkdir(parents=True),
        )

    monkeypatch.setattr("KidneySegLib.tasks.run.run", run)
    return answers


def test_exams_are_compared_on_their_own_grid(engine, tmp_path):
    write(tmp_path / "data" / "one", made_labels())
    engine["none"] = np.zeros(SHAPE, np.uint8)
    write(tmp_path / "data" / "none")
    told = []
    results, _ = evaluate_exams([tmp_path / "data"], tmp_path / "out", tell=lambda case: told.append(case.name))
    assert told == ["none", "one"]
    assert [case.overlap.dice for case in results] == [1.0, 1.0]
    none, one = (case.exam for case in results)
    assert none.organs == {} and none.lesions == ()
    assert [organ.dice for organ in one.organs.values()] == [1.0, 1.0]
    cyst = one.lesions[0]
    # slices 4 to 7 of those stored from the head; counted from the feet
    assert cyst.component.slice_index == 4
    assert cyst.component.centroid_lps_mm == pytest.approx((-1.5 * 11, 1.5 * 18, -2.0 * 5.5))
    assert one.stones.dice == 1.0


def test_tables_are_printed_and_missed_and_false_ones_drawn(engine, tmp_path):
    from PIL import Image

    write(tmp_path / "one", made_labels())
    engine["one"] = np.where(made_labels() == 4, 2, made_labels()).astype(np.uint8)
    engine["one"][3:6, 25:28, 42:46] = 3
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path / "one"), "-o", str(out), "--pictures"])
    assert result.exit_code == 0, result.output
    assert "| one | right | 1.000 |" in result.output
    assert "| one | cyst | missed | 1 |" in result.output and "| one | mass | false | 1 |" in result.output
    printed = result.output.split("\n## ", 1)[1]
    assert (out / "evaluation.md").read_text().endswith(printed)
    pictures = sorted(path.name for path in (out / "pictures").iterdir())
    assert pictures == ["one-cyst-missed-1.png", "one-mass-false-1.png"]
    with Image.open(out / "pictures" / pictures[1]) as picture:
        pixels = np.asarray(picture).astype(int)
    # magenta lines only in the right third, where the found map is
    magenta = (pixels[..., 0] > 150) & (pixels[..., 1] < 110) & (pixels[..., 2] > 100)
    columns = np.flatnonzero(magenta.any(axis=0))
    assert columns.size and columns.min() > 2 * picture.width / 3


def test_exams_of_one_name_are_refused(engine, tmp_path):
    for folder in ("a", "b"):
        write(tmp_path / folder / "one")
    with pytest.raises(InputError, match="called 'one'"):
        evaluate_exams([tmp_path / "a", tmp_path / "b"], tmp_path / "out")


def test_a_table_that_cannot_be_written_is_told(engine, tmp_path):
    write(tmp_path / "one", made_labels())
    (tmp_path / "out" / "evaluation.md").mkdir(parents=True)
    with pytest.raises(OutputError, match="tables"):
        evaluate_exams([tmp_path / "one"], tmp_path / "out")


def test_what_has_no_references_is_told(tmp_path):
    with pytest.raises(InputError, match=r"image\.nii\.gz"):
        evaluate_exams([tmp_path], tmp_path / "out")
    with pytest.raises(InputError, match=r"slices\.json"):
        evaluate_exams([tmp_path], tmp_path / "out", task="ct-slice")
    with pytest.raises(InputError, match="task 'mr'"):
        evaluate_exams([tmp_path], tmp_path / "out", task="mr")


def test_a_mask_on_another_grid_is_refused(engine, tmp_path):
    import SimpleITK as sitk

    write(tmp_path / "one", made_labels())
    moved = GRID.copy()
    moved[0, 3] = 5
    sitk.WriteImage(Volume(made_labels(), moved).to_image(), str(tmp_path / "one" / "mask.nii.gz"))
    with pytest.raises(InputError, match="not on the same grid"):
        evaluate_exams([tmp_path / "one"], tmp_path / "out")
