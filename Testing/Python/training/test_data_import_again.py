"""Data that are imported again, names in any script, tables of spreadsheets: no exam is trained on and scored."""

from __future__ import annotations

import json
from pathlib import Path

import dataset_cases as made
import pytest

from KidneySegLib.errors import InputError
from KidneySegLib.training.importing.case import imported_patients
from KidneySegLib.training.importing.importing import read_patients
from KidneySegLib.training.importing.label_names import own_names
from KidneySegLib.training.importing.pictures import import_pictures


def held(data: Path) -> dict[str, set[str]]:
    return {kind: {path.name for path in (data / "ct" / kind).glob("*")} for kind in ("train", "validation")}


def test_another_share_moves_the_exams(tmp_path: Path) -> None:
    source, data = made.itk_snap(tmp_path / "source", count=5), tmp_path / "data"
    for share in (0.2, 0.8, 0.0):
        made.imported(source, data, validation=share)
        sets = held(data)
        assert not sets["train"] & sets["validation"] and len(sets["train"] | sets["validation"]) == 5
        assert len(sets["validation"]) == round(5 * share)
        places = {f"ct/{kind}/{name}" for kind, names in sets.items() for name in names}
        assert set(imported_patients(data)) == places


def test_another_exam_of_the_same_name_is_not_thrown_away(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made.imported(made.itk_snap(tmp_path / "one", count=1), data, validation=0)
    other = made.itk_snap(tmp_path / "other", count=2)
    (other / "exam0.nii.gz").write_bytes((other / "exam1.nii.gz").read_bytes())
    for path in (other / "exam1.nii.gz", other / "exam1_seg.nii.gz"):
        path.unlink()
    made.write(other / "exam9.nii.gz", made.body(9))
    (other / "exam9_seg.nii.gz").write_bytes((other / "exam0_seg.nii.gz").read_bytes())
    # one of two is held out: exam0 in one of the divisions
    found = [made.imported(other, data, validation=0.5, seed=seed) for seed in range(4)]
    assert {fault.code for one in found for fault in one.faults} == {"name_taken"}
    assert "exam0" in held(data)["train"] and "exam0" not in held(data)["validation"]


def test_names_in_other_scripts_are_cases_of_their_own_and_keep_their_patients(tmp_path: Path) -> None:
    source, names = tmp_path / "source", ("肾", "почка", "a b", "a_b", "böbrek")
    for seed, name in enumerate(names):
        made.write(source / f"{name}.nii.gz", made.body(seed))
        made.write(source / f"{name}_seg.nii.gz", made.kidneys())
    (source / "labels.txt").write_text(made.ITK_SNAP)
    told: list[str] = []
    groups = {"肾": "X", "böbrek": "X", "gone": "Y"}
    found = made.imported(source, tmp_path / "data", patients=groups, tell=told.append)
    assert not found.faults and len({case.name for case in found.cases}) == 5
    assert len(set(imported_patients(tmp_path / "data").values())) == 4
    assert told[0] == "The table of patients names cases that are not in the data set, such as 'gone'."


@pytest.mark.parametrize("text", ["\ufeffcase,patient\na,1\n", "\ufeffcase;patient\r\na;1\r\n"])
def test_tables_of_spreadsheets_are_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    assert read_patients(tmp_path / "t.csv") == {"a": "1"}


def test_pictures_that_are_imported_again_are_in_one_set(tmp_path: Path) -> None:
    source, data = made.pngs(tmp_path / "source", count=5), tmp_path / "data"
    options = {"own": own_names(["masks=kidney"]), "patients": {}, "pixel_mm": 0.8}
    for share, lists in ((0.4, 2), (0.0, 1)):
        import_pictures(source, data, validation=share, **options)
        entries = [json.loads(path.read_text()) for path in (data / "ct_slices").glob("*/slices.json")]
        assert len(entries) == lists and len([entry for listed in entries for entry in listed]) == 5
        assert len(list(data.rglob("images/*.png"))) == 5
    (data / "ct_slices/train/slices.json").write_text('[{"image": 1, "patient": "p", "kidneys": true}]')
    with pytest.raises(InputError, match="not imported"):
        import_pictures(source, data, validation=0.0, **options)
