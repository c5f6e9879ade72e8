"""Data sets of others: each arrangement is read by the names of its labels."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import dataset_cases as made
import numpy as np
import pytest
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.datasets.exams import read_exam
from KidneySegLib.datasets.slices import load_slices
from KidneySegLib.errors import InputError
from KidneySegLib.training.importing.case import PATIENTS, imported_patients
from KidneySegLib.training.importing.importing import read_patients
from KidneySegLib.training.importing.label_names import own_names, structure_of_label
from KidneySegLib.training.importing.page import write_page
from KidneySegLib.training.importing.pictures import has_pictures, import_pictures


@pytest.mark.parametrize(
    ("make", "layout", "count"),
    [
        (made.kits, "KiTS", 2),
        (made.nnunet, "nnU-Net raw", 2),
        (made.decathlon, "Medical Decathlon", 2),
        (made.itk_snap, "pairs of files", 2),
        (made.mitk, "pairs of files", 1),
        (made.slicer, "pairs of files", 1),
        (made.exported, "cases of KidneySeg", 1),
    ],
)
def test_every_arrangement_is_read_by_names(
    tmp_path: Path, make: Callable[[Path], Path], layout: str, count: int
) -> None:
    found = made.imported(make(tmp_path / "source"), tmp_path / "data")
    assert found.faults == () and found.layout == layout and len(found.cases) == count
    for case in found.cases:
        image, labels = read_exam(tmp_path / "data" / case.place)
        assert image.voxels.shape == made.SHAPE and image.spacing == pytest.approx(made.SPACING)
        assert labels.voxels[5, 20, 10] == 1 and labels.voxels[5, 17, 50] == 2, "right and left are the patient's"
        kidney_ml = case.millilitres["kidney_right"] + case.millilitres.get("mass", 0)
        assert kidney_ml == pytest.approx(6 * 8 * 7 * 36 / 1000)
        if layout == "KiTS":
            assert labels.voxels[5, 19, 13] == 3 and labels.voxels[4, 18, 46] == 4


def test_images_in_another_order_of_axes_keep_their_sides(tmp_path: Path) -> None:
    turned = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
    flipped = {"direction": turned, "origin": (177.0, 117.0, 0.0)}
    source = tmp_path / "source"
    source.mkdir()
    made.write(source / "exam.nii.gz", np.ascontiguousarray(made.body()[:, ::-1, ::-1]), **flipped)
    made.write(source / "exam_seg.nii.gz", np.ascontiguousarray(made.kidneys()[:, ::-1, ::-1]), **flipped)
    (source / "labels.txt").write_text(made.ITK_SNAP)
    found = made.imported(source, tmp_path / "data")
    assert found.faults == ()
    _, labels = read_exam(tmp_path / "data" / found.cases[0].place)
    assert labels.voxels[5, 20, 12] == 1 and labels.voxels[5, 20, 46] == 2


def test_names_of_labels_mean_structures() -> None:
    own = own_names(["Leiomyoma=mass", "liver=background"])
    said = {
        name: structure_of_label(name, own) for name in ("Solid renal mass", "Simple_Cyst", "kidney", "LIVER", "spleen")
    }
    assert said == {
        "Solid renal mass": "mass",
        "Simple_Cyst": "cyst",
        "kidney": "kidney",
        "LIVER": "background",
        "spleen": None,
    }
    assert structure_of_label("leiomyoma", own) == "mass" and structure_of_label("Left kidney", own) == "kidney_left"
    for wrong in ("mass", "=mass", "x=liver"):
        with pytest.raises(InputError, match="NAME=STRUCTURE"):
            own_names([wrong])


def test_one_patient_under_one_name_stays_together(tmp_path: Path) -> None:
    source = made.itk_snap(tmp_path / "source", count=6)
    (tmp_path / "patients.csv").write_text("case,patient\nexam0,Doe\nexam1,Doe\nexam2,Doe\n")
    groups = read_patients(tmp_path / "patients.csv")
    found = made.imported(source, tmp_path / "data", patients=groups, validation=0.3)
    sides = {case.name: case.place.split("/")[1] for case in found.cases}
    assert len({sides[name] for name in ("exam0", "exam1", "exam2")}) == 1
    assert set(sides.values()) == {"train", "validation"}
    written = json.loads((tmp_path / "data" / PATIENTS).read_text())
    assert len(set(written.values())) == 4 and "Doe" not in json.dumps(written)
    assert imported_patients(tmp_path / "data") == written and imported_patients(tmp_path) == {}
    (tmp_path / PATIENTS).write_text("[")
    with pytest.raises(InputError, match="damaged"):
        imported_patients(tmp_path)
    with pytest.raises(InputError, match="columns case and patient"):
        read_patients(source / "labels.txt")


def test_the_same_image_twice_is_refused_for_one_patient_too(tmp_path: Path) -> None:
    source = made.itk_snap(tmp_path / "source")
    (source / "exam1.nii.gz").write_bytes((source / "exam0.nii.gz").read_bytes())
    found = made.imported(source, tmp_path / "data", patients={"exam0": "a", "exam1": "a"})
    assert [told.code for told in found.faults] == ["image_twice"]


def test_the_page_shows_numbers_thumbnails_and_faults_and_loads_nothing(tmp_path: Path) -> None:
    source = made.kits(tmp_path / "source")
    (source / "case_00001/imaging.nii.gz").write_bytes(b"")
    found = made.imported(source, tmp_path / "data")
    write_page(found, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    for said in (
        "1 cases of 1 patients",
        "image_unreadable",
        "case_00001",
        "Right kidney",
        "data:image/png;base64,",
        "KiTS",
    ):
        assert said in text
    assert "<script" not in text and "http:" not in text and "https:" not in text


def test_names_from_outside_are_harmless(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    made.write(source / "a <b>&.nii.gz", made.body())
    made.write(source / "a <b>&_seg.nii.gz", made.kidneys())
    (source / "labels.txt").write_text(made.ITK_SNAP)
    found = made.imported(source, tmp_path / "data")
    (case,) = found.cases
    assert re.fullmatch(r"a_b-[0-9a-f]{6}", case.name)


def test_the_command_imports_and_says_what_it_refused(tmp_path: Path) -> None:
    source = made.nnunet(tmp_path / "source", labels={"background": 0, "spleen": 1})
    arguments = ["data", "import", str(source), "-o", str(tmp_path / "data")]
    with pytest.raises(InputError, match="No case"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    result = CliRunner().invoke(app, [*arguments, "--label", "spleen=kidney"], catch_exceptions=False)
    assert result.exit_code == 0 and "2 cases of 2 patients imported (nnU-Net raw), 0 faults" in result.output
    assert (tmp_path / "data/dataset.html").is_file()
    with pytest.raises(InputError, match="Nothing in the folder"):
        CliRunner().invoke(
            app, ["data", "import", str(tmp_path / "data/ct"), "-o", str(tmp_path)], catch_exceptions=False
        )


def test_pictures_become_a_folder_of_slices(tmp_path: Path) -> None:
    source = made.pngs(tmp_path / "source", count=5)
    (source / "masks/s1.png").unlink()
    (source / "images/s2.png").write_bytes(b"no picture")
    assert has_pictures(source)
    options = {"own": own_names(["masks=kidney"]), "patients": {}, "validation": 0.3, "pixel_mm": 0.8}
    count, faults = import_pictures(source, tmp_path / "data", **options)
    assert count == 3
    assert [(told.case, told.code) for told in faults] == [("s1", "labels_missing"), ("s2", "image_unreadable")]
    slices = load_slices(tmp_path / "data/ct_slices/train", 1.5, distance_mm=3.0, pixel_mm=1.0, window=(-160.0, 240.0))
    assert len(slices) == 2 and all(one.organ.any() for one in slices)
    assert (tmp_path / "data/ct_slices/validation/slices.json").is_file()
    with pytest.raises(InputError, match="No picture"):
        import_pictures(source, tmp_path / "other", **{**options, "own": {}})


@pytest.fixture(scope="module")
def dicom_seg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CT series with the DICOM SEG that KidneySeg writes."""
    from interchange_cases import GEOMETRIES, result_on

    from KidneySegLib.interchange.results import write_dicom_results

    folder = tmp_path_factory.mktemp("dicom") / "one"
    GEOMETRIES["axial"](folder)
    case = result_on(folder)
    file, *_ = write_dicom_results(folder.parent / "results", case.result, case.series)
    (folder / "seg.dcm").write_bytes(file.read_bytes())
    return folder


def test_dicom_with_its_segmentation_is_read_by_the_names_of_segments(dicom_seg: Path, tmp_path: Path) -> None:
    found = made.imported(dicom_seg, tmp_path / "data")
    assert found.faults == () and found.layout == "DICOM with SEG"
    (case,) = found.cases
    image, labels = read_exam(tmp_path / "data" / case.place)
    from interchange_cases import paint

    np.testing.assert_array_equal(labels.voxels, paint(image))


def test_a_segmentation_of_another_series_is_refused(dicom_seg: Path, tmp_path: Path) -> None:
    import shutil

    from pydicom import dcmread
    from pydicom.uid import generate_uid

    folder = shutil.copytree(dicom_seg, tmp_path / "other")
    dataset = dcmread(folder / "seg.dcm")
    dataset.FrameOfReferenceUID = generate_uid()
    dataset.save_as(folder / "seg.dcm")
    (told,) = made.imported(folder, tmp_path / "data").faults
    assert told.code == "labels_unreadable" and "another series" in told.sentence
    (folder / "seg.dcm").unlink()
    (told,) = made.imported(folder, tmp_path / "data").faults
    assert told.code == "labels_missing"
