"""Data sets of others: each arrangement is read by the names of its labels, and every fault is named and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import dataset_cases as made
import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.datasets.exams import read_exam
from KidneySegLib.datasets.slices import load_slices
from KidneySegLib.errors import InputError
from KidneySegLib.training.importing.case import PATIENTS, imported_patients
from KidneySegLib.training.importing.importing import Imported, import_cases, read_patients
from KidneySegLib.training.importing.label_names import own_names, structure_of_label
from KidneySegLib.training.importing.layouts import find_cases
from KidneySegLib.training.importing.page import write_page
from KidneySegLib.training.importing.pictures import has_pictures, import_pictures


def imported(source: Path, output: Path, **options) -> Imported:
    chosen = {"own": {}, "patients": {}, "validation": 0.0, **options}
    return import_cases(find_cases(source), output, **chosen)


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
    found = imported(make(tmp_path / "source"), tmp_path / "data")
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
    found = imported(source, tmp_path / "data")
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


def _change(path: Path, change: Callable[[sitk.Image], sitk.Image | None]) -> None:
    image = sitk.ReadImage(str(path))
    sitk.WriteImage(change(image) or image, str(path))


def _values(path: Path, change: Callable[[np.ndarray], np.ndarray | None], kind: type = np.int16) -> None:
    """Changes the voxels of a file on its grid."""
    image = sitk.ReadImage(str(path))
    array = sitk.GetArrayFromImage(image).astype(kind)
    result = change(array)
    new = sitk.GetImageFromArray(array if result is None else result)
    if new.GetSize() == image.GetSize():
        new.CopyInformation(image)
    else:
        new.SetSpacing(image.GetSpacing())
    sitk.WriteImage(new, str(path))


def _fill(value: float, box: tuple = (Ellipsis,)) -> Callable[[np.ndarray], None]:
    def fill(array: np.ndarray) -> None:
        array[box] = value

    return fill


def _swap(array: np.ndarray) -> np.ndarray:
    return np.where(array == 1, 2, np.where(array == 2, 1, array)).astype(array.dtype)


def _cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def _without_numbers(folder: Path) -> None:
    """ITK takes what is no number in NIfTI for 0, so the labels are NRRD."""
    (folder / MASK).unlink()
    array = made.kidneys().astype(np.float32)
    array[0, 0, 0] = np.nan
    made.write(folder / "exam1_seg.nrrd", array)


IMAGE, MASK = "exam1.nii.gz", "exam1_seg.nii.gz"
# what is done to the second of two good cases, and the code of the fault
FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "image away": (lambda f: (f / IMAGE).unlink(), "image_missing"),
    "labels away": (lambda f: (f / MASK).unlink(), "labels_missing"),
    "image empty file": (lambda f: (f / IMAGE).write_bytes(b""), "image_unreadable"),
    "image no NIfTI": (lambda f: (f / IMAGE).write_bytes(b"no image at all" * 50), "image_unreadable"),
    "image cut off": (lambda f: _cut(f / IMAGE, 2000), "image_unreadable"),
    "labels empty file": (lambda f: (f / MASK).write_bytes(b""), "labels_unreadable"),
    "labels no NIfTI": (lambda f: (f / MASK).write_bytes(b"nothing" * 99), "labels_unreadable"),
    "labels cut off": (lambda f: _cut(f / MASK, 120), "labels_unreadable"),
    "spacing of labels": (lambda f: _change(f / MASK, lambda i: i.SetSpacing((3.0, 3.0, 5.0))), "spacing"),
    "pixels of labels": (lambda f: _change(f / MASK, lambda i: i.SetSpacing((1.0, 1.0, 4.0))), "spacing"),
    "place of labels": (lambda f: _change(f / MASK, lambda i: i.SetOrigin((9.0, 0.0, 0.0))), "affine"),
    "half a voxel off": (lambda f: _change(f / MASK, lambda i: i.SetOrigin((0.0, 1.5, 0.0))), "affine"),
    "labels mirrored": (
        lambda f: _change(f / MASK, lambda i: i.SetDirection((-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))),
        "affine",
    ),
    "labels upside down": (
        lambda f: _change(f / MASK, lambda i: i.SetDirection((1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0))),
        "affine",
    ),
    "a slice less": (lambda f: _values(f / MASK, lambda a: a[:-1]), "shape"),
    "other pixels": (lambda f: _values(f / MASK, lambda a: a[:, ::2, ::2]), "shape"),
    "axes exchanged": (lambda f: _values(f / MASK, lambda a: a.transpose(2, 1, 0)), "shape"),
    "nothing labelled": (lambda f: _values(f / MASK, _fill(0)), "labels_empty"),
    "unknown number": (lambda f: _values(f / MASK, _fill(7, (0, 0, 0))), "unknown_label"),
    "negative number": (lambda f: _values(f / MASK, _fill(-1, (0, 0, 0))), "labels_not_whole"),
    "half numbers": (lambda f: _values(f / MASK, _fill(0.5, (0, 0, 0)), np.float32), "labels_not_whole"),
    "no numbers": (_without_numbers, "labels_not_whole"),
    "image as labels": (lambda f: (f / MASK).write_bytes((f / IMAGE).read_bytes()), "labels_not_whole"),
    "sides exchanged": (lambda f: _values(f / MASK, _swap), "sides"),
    "one kidney on the wrong side": (lambda f: _values(f / MASK, lambda a: _swap(np.where(a == 2, 0, a))), "sides"),
    "labels in the air": (lambda f: _values(f / MASK, lambda a: np.roll(a, 20, axis=1)), "labels_beside_tissue"),
    "a speck": (
        lambda f: _values(f / MASK, lambda a: np.where(np.cumsum(a > 0).reshape(a.shape) < 9, a, 0)),
        "volume_implausible",
    ),
    "everything labelled": (
        lambda f: (
            [_values(f / MASK, _fill(1))]
            + [_change(f / n, lambda i: i.SetSpacing((11.0, 11.0, 11.0))) for n in (IMAGE, MASK)]
        ),
        "volume_implausible",
    ),
    "an image of one value": (lambda f: _values(f / IMAGE, _fill(0)), "image_"),
    "an image without numbers": (lambda f: _values(f / IMAGE, _fill(np.nan), np.float32), "image_"),
    "spacing in metres": (
        lambda f: [_change(f / n, lambda i: i.SetSpacing((0.003, 0.003, 0.004))) for n in (IMAGE, MASK)],
        "image_|spacing",
    ),
    "spacing of 40 mm": (
        lambda f: [_change(f / n, lambda i: i.SetSpacing((3.0, 3.0, 40.0))) for n in (IMAGE, MASK)],
        "spacing_implausible",
    ),
    "two slices": (lambda f: [_values(f / n, lambda a: a[5:7]) for n in (IMAGE, MASK)], "too_few_slices"),
    "the image of the other case": (
        lambda f: (f / IMAGE).write_bytes((f / "exam0.nii.gz").read_bytes()),
        "patient_twice",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_case_is_named_and_never_trained_on(tmp_path: Path, fault: str) -> None:
    source = made.itk_snap(tmp_path / "source")
    spoil, code = FAULTS[fault]
    spoil(source)
    found = imported(source, tmp_path / "data")
    assert [case.name for case in found.cases] == ["exam0"], "the good case is imported all the same"
    (told,) = found.faults
    assert told.case == "exam1" and any(told.code.startswith(each) for each in code.split("|")), told
    assert told.sentence.endswith(".") and str(tmp_path) not in told.sentence and "\n" not in told.sentence
    written = {path.parent.name for path in (tmp_path / "data").rglob("image.nii.gz")}
    assert written == {"exam0"}


# whole data sets whose lists, names or arrangement are wrong, and the code of the first fault
SETS: dict[str, tuple[Callable[[Path], object], str]] = {
    "dataset.json damaged": (lambda f: (made.nnunet(f) / "dataset.json").write_text("{"), "list_unreadable"),
    "dataset.json a list": (lambda f: (made.nnunet(f) / "dataset.json").write_text("[1]"), "list_unreadable"),
    "no labels in it": (lambda f: made.nnunet(f, labels={}), "labels_unnamed"),
    "labels no numbers": (lambda f: made.nnunet(f, labels={"kidney": "one"}), "labels_unnamed"),
    "two channels": (lambda f: made.nnunet(f, channel_names={"0": "CT", "1": "PET"}), "channels"),
    "another number of cases": (lambda f: made.nnunet(f, numTraining=9), "number_of_cases"),
    "an unknown name": (lambda f: made.nnunet(f, labels={"background": 0, "spleen": 1}), "unknown_name"),
    "labels without an image": (lambda f: (made.nnunet(f) / "imagesTr/exam1_0000.nii.gz").unlink(), "image_missing"),
    "image without labels": (lambda f: (made.nnunet(f) / "labelsTr/exam1.nii.gz").unlink(), "labels_missing"),
    "a list that leads out": (
        lambda f: made.decathlon(f, training=[{"image": "../../etc/passwd", "label": "x"}], numTraining=1),
        "listed_outside",
    ),
    "a list of something else": (lambda f: made.decathlon(f, training=[7], numTraining=1), "listed_outside"),
    "a file that is not there": (
        lambda f: made.decathlon(f, training=[{"image": "a.nii.gz", "label": "b.nii.gz"}], numTraining=1),
        "image_missing",
    ),
    "Decathlon without names": (lambda f: made.decathlon(f, labels=None), "labels_unnamed"),
    "KiTS without its images": (lambda f: (made.kits(f) / "case_00001/imaging.nii.gz").unlink(), "image_missing"),
    "KiTS without its labels": (lambda f: (made.kits(f) / "case_00001/segmentation.nii.gz").unlink(), "labels_missing"),
    "pairs without names": (lambda f: (made.itk_snap(f) / "labels.txt").unlink(), "labels_unnamed"),
    "descriptions that differ": (
        lambda f: (made.itk_snap(f) / "more.txt").write_text(made.ITK_SNAP.replace("Left kidney", "Cyst")),
        "names_differ",
    ),
    "MITK's names damaged": (lambda f: made.mitk(f, groups="[{"), "labels_unnamed"),
    "MITK's names unknown": (
        lambda f: made.mitk(f, groups='[{"labels": [{"name": "a", "value": 1}, {"name": "b", "value": 2}]}]'),
        "unknown_name",
    ),
    "a segment of the liver": (lambda f: made.slicer(f, name="Liver"), "unknown_name"),
    "voxels of no segment": (lambda f: made.slicer(f, extra=9), "labels_unreadable"),
    "labels.json without names": (lambda f: made.exported(f, labels={}), "labels_unnamed"),
}


@pytest.mark.parametrize("fault", SETS)
def test_a_faulty_data_set_is_told(tmp_path: Path, fault: str) -> None:
    make, code = SETS[fault]
    make(tmp_path / "source")
    found = imported(tmp_path / "source", tmp_path / "data")
    assert code in {told.code for told in found.faults}, found.faults
    refused = {told.case for told in found.faults}
    assert not refused & {case.name for case in found.cases}
    assert all(told.sentence.endswith(".") and "\n" not in told.sentence for told in found.faults)


def test_the_battery_is_as_large_as_promised() -> None:
    assert len(FAULTS) + len(SETS) >= 40


def test_one_patient_under_one_name_stays_together(tmp_path: Path) -> None:
    source = made.itk_snap(tmp_path / "source", count=6)
    (tmp_path / "patients.csv").write_text("case,patient\nexam0,Doe\nexam1,Doe\nexam2,Doe\n")
    groups = read_patients(tmp_path / "patients.csv")
    found = imported(source, tmp_path / "data", patients=groups, validation=0.3)
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
    found = imported(source, tmp_path / "data", patients={"exam0": "a", "exam1": "a"})
    assert [told.code for told in found.faults] == ["image_twice"]


def test_the_page_shows_numbers_thumbnails_and_faults_and_loads_nothing(tmp_path: Path) -> None:
    source = made.kits(tmp_path / "source")
    (source / "case_00001/imaging.nii.gz").write_bytes(b"")
    found = imported(source, tmp_path / "data")
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
    assert "<script" not in text and "http" not in text


def test_names_from_outside_are_harmless(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    made.write(source / "a <b>&.nii.gz", made.body())
    made.write(source / "a <b>&_seg.nii.gz", made.kidneys())
    (source / "labels.txt").write_text(made.ITK_SNAP)
    found = imported(source, tmp_path / "data")
    assert [case.name for case in found.cases] == ["a_b"]


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
    faults = import_pictures(source, tmp_path / "data", **options)
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
    found = imported(dicom_seg, tmp_path / "data")
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
    (told,) = imported(folder, tmp_path / "data").faults
    assert told.code == "labels_unreadable" and "another series" in told.sentence
    (folder / "seg.dcm").unlink()
    (told,) = imported(folder, tmp_path / "data").faults
    assert told.code == "labels_missing"
