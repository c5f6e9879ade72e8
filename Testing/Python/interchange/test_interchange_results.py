"""DICOM results as files: which series they take, what they refuse and say, whole or not at all; the commands."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dicom_writing import AXIAL, write_field
from interchange_cases import PIXEL, SHAPE, Case, body, make_case, masks_on, paint, provenance_of, read, stack
from pydicom.dataset import Dataset
from result_cases import described_slice, result_of
from typer.testing import CliRunner

from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError, KidneySegError, OutputError
from KidneySegLib.findings import Findings
from KidneySegLib.interchange.encapsulated_pdf import encapsulate_pdf
from KidneySegLib.interchange.results import FILES, write_dicom_results
from KidneySegLib.interchange.source_images import read_source_images
from KidneySegLib.readers.input import read_slice
from KidneySegLib.result_files.labels.files import write_nifti
from KidneySegLib.result_files.result import Result
from KidneySegLib.volume import Volume

PDF = b"%PDF-1.4\n%%EOF\n"
SECRETS = ("Secret", "SECRET", "/", "\\")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("case"))


@pytest.fixture
def result(case: Case, tmp_path: Path) -> Path:
    """A result folder as it lies on disk."""
    folder = tmp_path / "result"
    folder.mkdir()
    write_nifti(folder / "labels.nii.gz", case.volume, case.labels)
    (folder / "findings.json").write_text(case.findings.to_json(), encoding="utf-8")
    return folder


def write(case: Case, folder: Path, source: Path | None = None, **options: object) -> list[Path]:
    return write_dicom_results(
        folder,
        case.result,
        source or case.series,
        **options,  # type: ignore[arg-type]
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_are_those_that_were_promised(case: Case, tmp_path: Path) -> None:
    assert [path.name for path in write(case, tmp_path / "a")] == list(FILES[:3])
    assert [path.name for path in write(case, tmp_path / "b", pdf=PDF)] == list(FILES)
    assert names(tmp_path / "b") == sorted(FILES)


def test_a_new_export_replaces_the_earlier_one_as_a_whole(case: Case, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    first = {path.name: read(path).SOPInstanceUID for path in write(case, tmp_path, pdf=PDF)}
    second = {path.name: read(path).SOPInstanceUID for path in write(case, tmp_path)}
    assert names(tmp_path) == sorted([*FILES[:3], "notes.txt"])
    assert not set(first.values()) & set(second.values())


def test_a_failure_leaves_the_earlier_export_alone(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in write(case, tmp_path)}
    saved = Dataset.save_as

    def full(self: Dataset, path: Path, *args: object, **more: object) -> None:
        if Path(path).name == FILES[1]:
            raise OSError(28, "No space left on device")
        saved(self, path, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Dataset, "save_as", full)
    with pytest.raises(OutputError, match="space"):
        write(case, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_one_file_of_the_series_stands_for_it(case: Case, tmp_path: Path) -> None:
    path, *_ = write(case, tmp_path, sorted(case.series.iterdir())[3])
    assert len(read(path).SourceImageSequence) == case.labels.shape[0]


def test_other_files_beside_the_images_do_not_matter(case: Case, tmp_path: Path) -> None:
    shutil.copytree(case.series, tmp_path / "study" / "ct")
    other = make_case(tmp_path / "other", "coronal")
    shutil.copytree(other.series, tmp_path / "study" / "other")
    (tmp_path / "study" / "readme.txt").write_text("no image")
    write(case, tmp_path / "study", pdf=PDF)  # earlier results lie in the study as well
    path, *_ = write(case, tmp_path / "out", tmp_path / "study")
    assert {str(s.SeriesInstanceUID) for s in read(path).ReferencedSeriesSequence} == {
        case.findings.provenance.input.source["series_uid"]
    }


def broken_series(case: Case, tmp_path: Path, what: str) -> Path:
    folder = tmp_path / "series"
    if what == "missing":
        return folder
    folder.mkdir()
    if what == "other":
        return make_case(tmp_path / "other", "oblique").series
    if what == "incomplete":
        for path in sorted(case.series.iterdir())[2:]:
            shutil.copy(path, folder)
    return folder


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("missing", "does not exist"),
        ("empty", "No DICOM image was found"),
        ("other", "of another series"),
        ("incomplete", "2 of the 26 images of the result are missing"),
    ],
)
def test_a_series_that_is_not_the_results_is_refused(case: Case, tmp_path: Path, what: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        write(case, tmp_path / "out", broken_series(case, tmp_path, what))
    assert not any(secret in str(caught.value) for secret in SECRETS)
    assert not (tmp_path / "out").exists()


def test_a_result_of_an_image_file_is_refused(case: Case) -> None:
    provenance = case.findings.provenance
    plain = replace(provenance, input=replace(provenance.input, kind="nii.gz", source={}))
    with pytest.raises(InputError, match="not made from a DICOM series with identifiers"):
        read_source_images(case.series, replace(case.findings, provenance=plain))


@pytest.mark.parametrize("change", ["moved", "added", "grown", "removed"])
def test_labels_that_were_changed_since_they_were_measured_are_refused(case: Case, tmp_path: Path, change: str) -> None:
    labels = case.labels.copy()
    if change == "moved":  # the same size elsewhere
        labels[labels == 5] = 1
        labels[1:][case.labels[:-1] == 5] = 5
    elif change == "added":
        labels[3, 30, 30] = 5
    elif change == "grown":
        labels[tuple(np.argwhere(labels == 0)[0])] = 1
    else:
        labels[labels == 2] = 0
    with pytest.raises(InputError, match="not those of this label map"):
        write(replace(case, labels=labels), tmp_path)
    assert not any(tmp_path.iterdir())


def test_findings_keep_their_voxels_whatever_their_names(case: Case, tmp_path: Path) -> None:
    """A reader's correction can leave names in another order than the bodies."""
    masses, cysts = case.findings.lesions[:1], case.findings.lesions[1:]
    assert [cyst.id for cyst in cysts] == ["C1", "C2"]
    renamed = (*masses, replace(cysts[1], id="C1"), replace(cysts[0], id="C7"))
    swapped = replace(case, findings=replace(case.findings, lesions=renamed))
    segmentation = read(write(swapped, tmp_path, per_lesion=True)[0])
    masks = masks_on(case.volume, segmentation)
    for lesion in renamed:
        (number,) = [int(s.SegmentNumber) for s in segmentation.SegmentSequence if s.TrackingID == lesion.id]
        centre = case.volume.to_lps(np.argwhere(masks[number])).mean(axis=0)
        np.testing.assert_allclose(centre, lesion.measures.centroid_lps_mm, atol=0.02)


@pytest.mark.parametrize("thickness", [5, None])
def test_a_single_slice_has_results_too(tmp_path: Path, thickness: float | None) -> None:
    slice_of = {"field": body, "pixel_spacing": PIXEL, "shape": SHAPE, "SliceThickness": thickness}
    write_field(tmp_path / "s", [stack(AXIAL)[12]], **slice_of)  # type: ignore[arg-type]
    slab = read_slice(tmp_path / "s")
    volume, labels = slab.volume, paint(slab.volume)
    provenance = provenance_of(volume, slab.source)
    findings = described_slice(
        volume, labels, thickness_mm=thickness, estimated_hu=False, flags=[], provenance=provenance
    )
    paths = write_dicom_results(tmp_path / "out", result_of(volume, labels, findings), tmp_path / "s")
    masks = masks_on(volume, read(paths[0]))
    assert np.array_equal(np.sum(list(masks.values()), axis=0), labels > 0)
    items = read(paths[1]).ContentSequence
    (container,) = [i for i in items if i.ConceptNameCodeSequence[0].CodeMeaning == "Imaging Measurements"]
    concepts = {i.ConceptNameCodeSequence[0].CodeMeaning for i in container.ContentSequence[0].ContentSequence}
    assert "Length" in concepts and ("Volume" in concepts) == (thickness is not None)


def test_the_report_is_an_encapsulated_pdf_of_the_same_study(case: Case) -> None:
    images = read_source_images(case.series, case.findings)
    dataset = encapsulate_pdf(PDF, images.datasets)
    assert dataset.SOPClassUID == "1.2.840.10008.5.1.4.1.1.104.1"
    assert dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength] == PDF
    assert dataset.StudyInstanceUID == images.datasets[0].StudyInstanceUID
    assert len(dataset.SourceInstanceSequence) == len(images.datasets)
    with pytest.raises(InputError, match="not a PDF"):
        encapsulate_pdf(b"<html>", images.datasets)


def invoke(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(done.exception, KidneySegError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_writes_beside_the_result(case: Case, result: Path, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(PDF)
    said = invoke("dicom", result, "--source", case.series, "--per-lesion", "--pdf", tmp_path / "report.pdf")
    assert names(result) == sorted([*FILES, "findings.json", "labels.nii.gz"])
    assert all(name in said for name in FILES) and not any(secret in said for secret in SECRETS)
    segmentation = read(result / FILES[0])
    assert "C2 Cyst left" in [s.SegmentLabel for s in segmentation.SegmentSequence]
    masks = masks_on(case.volume, segmentation)
    assert np.array_equal(np.sum(list(masks.values()), axis=0), case.labels > 0)


@pytest.mark.parametrize("geometry", ["slight slant", "oblique", "gantry tilt"])
def test_a_label_map_from_its_file_lies_where_it_lay(tmp_path: Path, geometry: str) -> None:
    case = make_case(tmp_path, geometry)
    write_nifti(tmp_path / "labels.nii.gz", case.volume, case.labels)
    (tmp_path / "findings.json").write_text(case.findings.to_json(), encoding="utf-8")
    labels, stored = Result.read(tmp_path).segmentation.label_map, case.volume.like(case.labels).canonical()
    assert np.array_equal(labels.voxels, stored.voxels)
    np.testing.assert_allclose(labels.ijk_to_lps, stored.ijk_to_lps, atol=1e-5)


def test_the_command_writes_a_label_map_elsewhere(case: Case, result: Path, tmp_path: Path) -> None:
    invoke("dicom", result, "--source", case.series, "--labelmap", "--output", tmp_path / "out")
    assert read(tmp_path / "out" / FILES[0]).SOPClassUID == "1.2.840.10008.5.1.4.1.1.66.7"
    assert names(result) == ["findings.json", "labels.nii.gz"]


def test_the_command_refuses_what_is_no_result(case: Case, result: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a complete result"):
        invoke("dicom", tmp_path, "--source", case.series)
    with pytest.raises(InputError, match="report does not exist"):
        invoke("dicom", result, "--source", case.series, "--pdf", tmp_path / "no.pdf")
    write_nifti(result / "labels.nii.gz", Volume(case.volume.voxels, np.diag([1.0, 1, 1, 1])), case.labels)
    with pytest.raises(KidneySegError, match="does not lie on the grid of the image"):
        invoke("dicom", result, "--source", case.series)
    assert names(result) == ["findings.json", "labels.nii.gz"]


@pytest.mark.parametrize("found", [True, False])
def test_segment_writes_dicom_results_along(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    nothing = replace(case.findings, kidneys=(), lesions=(), stones=())
    empty = np.zeros_like(case.labels)
    result = result_of(case.volume, *((case.labels, case.findings) if found else (empty, nothing)))
    monkeypatch.setattr("KidneySegLib.tasks.run.run", lambda *_, **__: result)
    said = invoke("segment", case.series, "--output", tmp_path / "out", "--dicom", "--progress", "none")
    assert {"findings.json", "overview.png"} < set(names(tmp_path / "out"))
    assert set(FILES[:3]) <= set(names(tmp_path / "out")) if found else "no DICOM segmentation" in said


def test_where_nothing_is_outlined_the_report_stands_alone(case: Case, tmp_path: Path) -> None:
    nothing = replace(case.findings, kidneys=(), lesions=(), stones=())
    empty = (result_of(case.volume, np.zeros_like(case.labels), nothing), case.series)
    (path,) = write_dicom_results(tmp_path / "out", *empty, pdf=b"%PDF-1.4 nothing found")
    assert read(path).EncapsulatedDocument.startswith(b"%PDF-1.4 nothing found")
    with pytest.raises(InputError, match="Nothing is outlined"):
        write_dicom_results(tmp_path / "none", *empty)
    assert names(tmp_path / "out") == ["report.pdf.dcm"] and not (tmp_path / "none").exists()


def test_segment_refuses_dicom_results_of_an_image_file_early(case: Case, result: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--dicom needs a DICOM series"):
        invoke("segment", result / "labels.nii.gz", "--output", tmp_path / "out", "--dicom")
    assert not (tmp_path / "out").exists()


def test_findings_that_went_through_json_still_fit(case: Case) -> None:
    again = Findings.from_json(case.findings.to_json())
    assert len(read_source_images(case.series, again).frames) == case.labels.shape[0]
