"""The page, the tables of the papers, stored results, and the comparison with another model; nothing is run."""

import csv
import json
import re

import numpy as np
import pytest
from evaluation_cases import SHAPE, made_labels, save, write_exam
from slice_cases import write_folder
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError
from KidneySegLib.evaluation.cases import find_cases
from KidneySegLib.evaluation.evaluate import evaluate
from KidneySegLib.evaluation.found import Found
from KidneySegLib.evaluation.latex import escaped
from KidneySegLib.evaluation.page.claim import Study
from KidneySegLib.evaluation.page.page import write_page
from KidneySegLib.measuring.instances import NetworkOutline
from KidneySegLib.progress import silent
from KidneySegLib.tasks.registry import task_named

PAPERS = ("paper1_table1", "paper2_table2", "paper4_table3", "paper4_table4", "paper4_table5")


@pytest.fixture
def exams(tmp_path):
    """Two exams, the name of a patient on one; found: one exactly, one with its cyst missed."""
    for name in ("Doe_Jane<b>", "Roe_John"):
        write_exam(tmp_path / "data" / name, made_labels())
    save(tmp_path / "found" / "Doe_Jane<b>.nii.gz", made_labels())
    save(tmp_path / "found" / "Roe_John.nii.gz", np.where(made_labels() == 4, 2, made_labels()).astype(np.uint8))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)], catch_exceptions=False)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_label_maps_are_compared_and_the_page_names_nobody(exams):
    out = exams / "out"
    result = run(exams / "data", "-o", out, "--found", exams / "found", "--page")
    assert result.exit_code == 0, result.output
    html = (out / "evaluation.html").read_text()
    assert "Jane" not in html and "Roe" not in html and str(exams) not in html
    assert not re.search(r"<script|https?://", html)
    assert html.count("data:image/png;base64,") >= 5
    assert [row["case"] for row in rows_of(out / "case_numbers.csv")] == ["Doe_Jane<b>", "Roe_John"]
    cyst = next(row for row in rows_of(out / "agreement.csv") if row["structure"] == "cyst")
    assert cyst["Dice (F1)"] == "0.500 (0.000 to 1.000)" and cyst["items"] == "2"
    (detected,) = [row for row in rows_of(out / "lesion_detection.csv") if row["structure"] == "cyst"]
    assert detected["sensitivity"].startswith("0.500 ") and detected["0.125"] == "0.500"
    assert {r["structure"]: r["bias ml"] for r in rows_of(out / "volumes.csv")}["kidney"] == "0.00"


def test_the_papers_have_their_tables_in_three_forms(exams):
    out = exams / "out"
    assert run(exams / "data", "-o", out, "--found", exams / "found", "--page").exit_code == 0
    for name in PAPERS:
        assert all((out / f"{name}.{suffix}").stat().st_size for suffix in ("csv", "md", "tex"))
    cyst = next(row for row in rows_of(out / "paper2_table2.csv") if row["class"] == "cyst")
    assert (float(cyst["precision %"]), float(cyst["recall %"])) == (100.0, 50.0)
    assert r"\begin{tabular}{lrrrr}" in (out / "paper2_table2.tex").read_text()
    (model,) = rows_of(out / "paper4_table3.csv")
    assert model["tumour"] == "" and 0.9 < float(model["kidney"]) < 1
    assert [row["case"] for row in rows_of(out / "paper4_table5.csv")] == ["1", "2"]
    assert escaped("50 % ± 3_a & <") == r"50 \% $\pm$ 3\_a \& $<$"


def test_another_model_is_compared_on_the_same_cases(exams):
    first, second = exams / "first", exams / "second"
    assert run(exams / "data", "-o", first, "--found", exams / "found", "--page").exit_code == 0
    save(exams / "found" / "Roe_John.nii.gz", made_labels())
    options = ("--found", exams / "found", "--page", "--against", first)
    assert run(exams / "data", "-o", second, *options).exit_code == 0
    rows = {row["structure"]: row for row in rows_of(second / "comparison.csv")}
    assert (rows["cyst"]["this model"], rows["cyst"]["other model"]) == ("1.0000", "0.5000")
    assert rows["cyst"]["patients"] == "2" and rows["cyst"]["p"] == ""
    with pytest.raises(InputError, match=r"structures_by_case\.csv"):
        run(exams / "data", "-o", second, "--found", exams / "found", "--page", "--against", exams / "data")


def test_what_is_missing_or_misplaced_is_told(exams):
    (exams / "found" / "Roe_John.nii.gz").unlink()
    with pytest.raises(InputError, match="Nothing was found for the exam 'Roe_John'"):
        run(exams / "data", "-o", exams / "out", "--found", exams / "found")
    with pytest.raises(InputError, match="does not exist"):
        run(exams / "data", "-o", exams / "out", "--found", exams / "nowhere")
    with pytest.raises(InputError, match="Add --page"):
        run(exams / "data", "-o", exams / "out", "--found", exams / "found", "--against", exams)


def test_a_result_folder_is_compared_with_its_confidence(tmp_path):
    """A measured label map is a result folder; a confidence is put into its findings, as a network's run has it."""
    write_exam(tmp_path / "data" / "one", made_labels())
    drawn = made_labels()
    save(tmp_path / "labels.nii.gz", drawn)
    image = tmp_path / "data" / "one" / "image.nii.gz"
    result = CliRunner().invoke(
        app, ["measure", str(image), str(tmp_path / "labels.nii.gz"), "-o", str(tmp_path / "found" / "one")]
    )
    assert result.exit_code == 0, result.output
    findings = tmp_path / "found" / "one" / "findings.json"
    data = json.loads(findings.read_text())
    for one in data["lesions"]:
        one["confidence"] = 0.75
    findings.write_text(json.dumps(data))
    out = tmp_path / "out"
    assert run(tmp_path / "data", "-o", out, "--found", tmp_path / "found", "--page").exit_code == 0
    last = rows_of(out / "calibration.csv")[-1]
    assert last["mean probability"] == "ECE 0.2500" and int(last["voxels"]) == int((drawn == 4).sum())
    assert drawn.shape == SHAPE


def test_slices_have_the_tables_of_papers_1_and_3_and_a_calibration(tmp_path):
    write_folder(tmp_path / "slices", patients=2, each=2)
    cases = [case for case in find_cases("ct-slice", [tmp_path / "slices"]) if not case.name.endswith("-4")]

    def find(case):
        exam = task_named("ct-slice").read(case.source, case.options, silent)
        outline = case.reference(exam).labels > 0
        outline[0, 0, :10] = True  # ten pixels too many, as sure as all others
        return Found(exam, outline.astype(np.uint8), NetworkOutline(outline, np.where(outline, np.float32(0.9), 0)))

    results = [result for result, *_ in evaluate("ct-slice", cases, finder=find)]
    write_page(tmp_path, results, Study("ct-slice", "made", 4, 2, "cpu"))
    (images,) = rows_of(tmp_path / "paper3_table.csv")
    assert images["images"] == "4" and images["recall %"] == "100.00 ± 0.00" and float(images["F1 %"].split()[0]) < 100
    assert [row["patient"] for row in rows_of(tmp_path / "paper1_table1.csv")] == ["1", "2", "mean ± sd"]
    assert " ± " in rows_of(tmp_path / "paper1_table1.csv")[-1]["loss"]
    (bin_, total) = rows_of(tmp_path / "calibration.csv")
    right = sum(int((result.view.reference > 0).sum()) for result in results)
    assert float(bin_["share that is right"]) == pytest.approx(right / (right + 40), abs=1e-3)
    assert int(total["voxels"]) == right + 40
    assert not (tmp_path / "paper2_table2.csv").exists()
