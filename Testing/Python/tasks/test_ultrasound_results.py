"""An ultrasound image goes the whole way: result folder, table, report in three languages, correction, volume."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner
from ultrasound_cases import (
    DELTA,
    LENGTH_MM,
    BrightEllipse,
    bright,
    codes,
    dataset,
    ellipse,
    findings_of,
    frame,
    region,
    result_of,
    write,
)

from KidneySegLib.commands.app import app
from KidneySegLib.errors import InputError, KidneySegError
from KidneySegLib.findings import Findings
from KidneySegLib.measuring.correction import corrections
from KidneySegLib.measuring.ultrasound.ellipsoid import with_volume, with_volume_of
from KidneySegLib.reporting.report import write_report
from KidneySegLib.result_files.labels.files import write_nifti
from KidneySegLib.result_files.names import RESULT_FILES
from KidneySegLib.result_files.result import Result
from KidneySegLib.segmentation import load
from KidneySegLib.tasks import run
from KidneySegLib.tasks.refine import PlacedClick, refine
from KidneySegLib.tasks.registry import register, task_named
from KidneySegLib.tasks.run import measure, read_exam


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The task outlines by brightness, without a bundle."""
    own = task_named("ultrasound")
    register(BrightEllipse())
    monkeypatch.setattr(run, "find_bundle", lambda *_: SimpleNamespace(name="bright", version="1", sha256="0" * 64))
    device = SimpleNamespace(name="cpu", precision="torch.float32")
    monkeypatch.setattr(load, "load_model", lambda *_: SimpleNamespace(device=device, predictors={}))
    yield
    register(own)


def call(*arguments: object) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def loop() -> np.ndarray:
    return np.stack([frame(ellipse(radii=(24, length)), seed=n) for n, length in enumerate((40, 55, 60, 50))])


def test_a_result_folder_says_what_was_measured(tmp_path: Path) -> None:
    result = result_of(write(tmp_path, frame(), [region()], Laterality="R"))
    assert [path.name for path in result.write(tmp_path / "out")] == list(RESULT_FILES)
    again = Result.read(tmp_path / "out")
    assert again.findings.views == Findings.from_json(result.findings.to_json()).views
    assert again.findings.modality == "US" and not again.findings.in_patient and again.findings.calibrated
    assert again.findings.views[0].measures.length_mm == pytest.approx(LENGTH_MM, rel=0.03)
    with (tmp_path / "out" / "measurements.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["structure"], row["name"], row["side"], row["frame"]) == ("kidney_right", "Right kidney", "right", "1")
    assert float(row["length_mm"]) == pytest.approx(LENGTH_MM, rel=0.03) and row["length_px"] == ""
    assert row["volume_ml"] == row["hu_mean"] == row["centroid_lps_mm_x"] == ""
    assert float(row["length_start_px_x"]) == pytest.approx(100, abs=2)
    picture = Image.open(tmp_path / "out" / "overview.png")
    assert picture.size == (1600, 1060) and np.ptp(np.asarray(picture)) > 200


def test_a_loop_is_read_back_with_the_outline_in_every_frame(tmp_path: Path) -> None:
    path = write(tmp_path, loop(), [region()])
    result = result_of(path)
    result.write(tmp_path / "out")
    again = Result.read(tmp_path / "out")
    np.testing.assert_array_equal(again.segmentation.labels, result.segmentation.labels)
    assert again.with_exam(read_exam(path, again.findings)).findings.views[0].frame == 3
    assert len(again.findings.views[0].frames) == 4


def test_without_a_pixel_size_nothing_says_millimetres(tmp_path: Path) -> None:
    path = write(tmp_path, frame())
    result = result_of(path)
    result.write(tmp_path / "out")
    with (tmp_path / "out" / "measurements.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["length_mm"] == row["width_mm"] == row["area_mm2"] == ""
    assert float(row["length_px"]) == pytest.approx(120, rel=0.03) and int(row["outline_pixels"]) > 5000
    write_report(tmp_path / "out", result)
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    told = text[text.index("<body") :].split("data:image")[0]
    assert "pixels of unknown size" in told and "All sizes are in pixels" in told.replace("all sizes", "All sizes")
    rest = told.replace("not in millimetres", "")
    assert " mm" not in rest and "cm²" not in rest and "millimetre" not in rest


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Kidneys on ultrasound: report", "Kidney: length 97 mm, width 49 mm, area 36.", "Frame")),
        ("es", ("Riñones en ecografía: informe", "Riñón: longitud 97 mm, anchura 49 mm, área 36,", "Fotograma")),
        ("tr", ("Ultrasonografide böbrekler: rapor", "Böbrek: bu düzlemde uzunluk 97 mm, genişlik 49 mm", "Kare")),
    ],
)
def test_the_report_speaks_of_ultrasound(tmp_path: Path, language: str, words: tuple[str, ...]) -> None:
    result = result_of(write(tmp_path, frame(), [region()]))
    files = write_report(tmp_path / "out", result, language=language)
    text = files[1].read_text(encoding="utf-8")
    assert all(word in text for word in words)
    told = text[text.index("<body") :].split("data:image")[0]
    assert "CT" not in told and "HU" not in told
    assert files[0].read_bytes().startswith(b"%PDF")


def test_an_empty_answer_is_written_and_reported(tmp_path: Path) -> None:
    result = result_of(write(tmp_path, frame(np.zeros((240, 320), bool)), [region()]))
    result.write(tmp_path / "out")
    write_report(tmp_path / "out", result)
    assert Result.read(tmp_path / "out").findings.views == ()
    assert "No kidney was found" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_another_image_is_not_taken_for_the_result_s_own(tmp_path: Path) -> None:
    path = write(tmp_path, frame(), [region()])
    result_of(path).write(tmp_path / "out")
    other = read_exam(write(tmp_path, frame(seed=5) // 2 + 30, [region()]), Result.read(tmp_path / "out").findings)
    with pytest.raises(InputError, match="not the one that was segmented"):
        Result.read(tmp_path / "out").with_exam(other)


# --- correction ----------------------------------------------------------------------------------------------------


def test_a_corrected_outline_is_measured_again(tmp_path: Path) -> None:
    path = write(tmp_path, frame())
    result = result_of(path, pixel_mm=0.8)
    result.write(tmp_path / "out")
    labels = np.where(ellipse(radii=(30, 50)), 6, 0).astype(np.uint8)[None]
    write_nifti(tmp_path / "mine.nii.gz", result.image.stored, labels)
    again = measure(path, tmp_path / "mine.nii.gz", previous=tmp_path / "out").findings
    assert again.views[0].measures.length_mm == pytest.approx(80, abs=2)
    assert set(corrections(again)) == {"kidney"} and "corrected_by_reader" in codes(again)


def test_a_side_is_told_by_the_label(tmp_path: Path) -> None:
    path = write(tmp_path, frame(), [region()])
    grid = result_of(path).image.stored
    write_nifti(tmp_path / "mine.nii.gz", grid, np.where(ellipse(), 2, 0).astype(np.uint8)[None])
    (view,) = measure(path, tmp_path / "mine.nii.gz").findings.views
    assert view.structure == "kidney_left" and view.measures.length_mm == pytest.approx(LENGTH_MM, rel=0.03)


def test_a_length_across_two_regions_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, frame(), [region((0, 0, 170, 240)), region((170, 0, 320, 240), DELTA / 2)])
    write_nifti(tmp_path / "mine.nii.gz", result_of(path).image.stored, ellipse().astype(np.uint8)[None])
    with pytest.raises(InputError, match="across two regions means nothing"):
        measure(path, tmp_path / "mine.nii.gz")


def test_a_stray_stroke_is_told(tmp_path: Path) -> None:
    """The length spans what is drawn: 146 mm instead of 96 for a spot in a corner."""
    path = write(tmp_path, frame(), [region()])
    grid = result_of(path).image.stored
    for spots, told in (((), []), (((40, 40),), [2]), (((40, 40), (200, 280)), [3])):
        drawn = np.any([ellipse(), *(ellipse(spot, (6, 6)) for spot in spots)], axis=0)
        write_nifti(tmp_path / "mine.nii.gz", grid, np.where(drawn, 2, 0).astype(np.uint8)[None])
        flags = measure(path, tmp_path / "mine.nii.gz").findings.flags
        assert [flag.values["count"] for flag in flags if flag.code == "outline_in_pieces"] == told


def test_clicks_are_refused(tmp_path: Path) -> None:
    """They tell tissues apart by HU; the command made an outline of a corner of the image, in millilitres."""
    result = result_of(write(tmp_path, frame(), [region()]))
    with pytest.raises(InputError, match="on CT only"):
        refine(result, [PlacedClick.parse("128,96,0,+,kidney_left")])


def test_other_structures_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, frame(), [region()])
    labels = np.where(ellipse(), 6, 0).astype(np.uint8)
    labels[118:122, 150:160] = 5
    write_nifti(tmp_path / "mine.nii.gz", result_of(path).image.stored, labels[None])
    with pytest.raises(InputError, match="no masses, cysts and stones"):
        measure(path, tmp_path / "mine.nii.gz")


# --- volume --------------------------------------------------------------------------------------------------------


def transverse(folder: Path, **attributes: object) -> Path:
    """A view across the kidney: 48 by 40 mm."""
    folder.mkdir()
    return write(folder, frame(ellipse(radii=(25, 30))), [region()], **attributes)


def test_two_views_give_the_volume_of_an_ellipsoid(tmp_path: Path) -> None:
    along = findings_of(write(tmp_path, frame(), [region()]))
    across = findings_of(transverse(tmp_path / "across"))
    findings = with_volume(along, across)
    assert findings.ellipsoid is not None
    assert findings.ellipsoid.volume_ml == pytest.approx(math.pi / 6 * 9.6 * 4.8 * 4.0, rel=0.05)
    assert {"ellipsoid_volume", "views_of_two_studies"} <= codes(findings)
    assert Findings.from_json(findings.to_json()).ellipsoid == Findings.from_json(findings.to_json()).ellipsoid
    again = with_volume(findings, across)
    assert [flag.code for flag in again.flags] == [flag.code for flag in findings.flags]


def test_two_views_of_one_study_are_tied(tmp_path: Path) -> None:
    study = "1.2.3.4"
    along = findings_of(write(tmp_path, frame(), [region()], StudyInstanceUID=study))
    across = findings_of(transverse(tmp_path / "across", StudyInstanceUID=study))
    assert codes(with_volume(along, across)) & {"views_of_two_studies", "views_not_tied"} == set()


def test_two_views_along_a_kidney_and_exchanged_ones_are_told(tmp_path: Path) -> None:
    """The volume would be twice the true one, and nothing else shows it."""
    along = findings_of(write(tmp_path, frame(), [region()]))
    across = findings_of(transverse(tmp_path / "across"))
    (tmp_path / "again").mkdir()
    second = findings_of(write(tmp_path / "again", frame(ellipse(radii=(30, 56))), [region()]))
    assert "views_alike" not in codes(with_volume(along, across))
    assert "views_alike" in codes(with_volume(along, second))
    assert "views_alike" in codes(with_volume(across, along))
    assert "views_alike" not in codes(with_volume(with_volume(along, second), across))
    shorter = replace(along.views[0].measures, length_mm=60.0)  # as a reader corrects it
    corrected = replace(along, views=(replace(along.views[0], measures=shorter),))
    once = with_volume_of(with_volume(along, across), replace(corrected, flags=with_volume(along, across).flags))
    assert "views_alike" not in codes(once)
    shorter = replace(shorter, length_mm=52.0)
    twice = with_volume_of(once, replace(once, views=(replace(along.views[0], measures=shorter),)))
    assert "views_alike" in codes(twice)
    assert "views_alike" not in codes(with_volume_of(twice, replace(twice, views=along.views)))


def test_no_volume_is_made_of_what_does_not_fit(tmp_path: Path) -> None:
    along = findings_of(write(tmp_path, frame(), [region()], Laterality="R"))
    across = findings_of(transverse(tmp_path / "left", Laterality="L"))
    with pytest.raises(InputError, match="right kidney and the other of the left"):
        with_volume(along, across)
    with pytest.raises(InputError, match="the same image"):
        with_volume(along, along)
    with pytest.raises(InputError, match="pixel size of the transverse view is not known"):
        with_volume(along, findings_of(write(tmp_path, frame())))
    with pytest.raises(InputError, match="transverse view shows no kidneys"):
        with_volume(along, findings_of(write(tmp_path, frame(np.zeros((240, 320), bool)), [region()])))
    with pytest.raises(InputError, match="a part of the kidney only"):
        with_volume(along, findings_of(write(tmp_path, frame()[:, :190], [region((0, 0, 190, 240))])))
    settings = {**along.provenance.settings, "modality": None}
    ct = replace(along, provenance=replace(along.provenance, settings=settings))
    with pytest.raises(InputError, match="Leave out --transverse"):
        with_volume(ct, across)


# --- command line --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("engine")
def test_the_command_line_measures_two_views_and_reports_them(tmp_path: Path) -> None:
    source, across = write(tmp_path, frame(), [region()]), transverse(tmp_path / "across")
    out = tmp_path / "out"
    options = ("--task", "auto", "--transverse", across, "--report", "--progress", "none", "--device", "cpu")
    said = call("segment", source, "-o", out, *options)
    assert "Kidney: length 9" in said and "Volume from two views: 101 ml" in said
    read = Result.read(out).findings
    assert read.ellipsoid is not None and Result.read(out / "transverse").findings.views
    html = (out / "report.html").read_text(encoding="utf-8")
    assert "Volume from two views" in html and "ellipsoid" in html
    labels = np.where(ellipse(radii=(30, 50)), 6, 0).astype(np.uint8)[None]
    write_nifti(tmp_path / "mine.nii.gz", result_of(source).image.stored, labels)
    call("measure", source, tmp_path / "mine.nii.gz", "-o", tmp_path / "again", "--findings", out, "--progress", "none")
    corrected = Result.read(tmp_path / "again").findings
    assert corrected.ellipsoid is not None
    assert corrected.ellipsoid.volume_ml == pytest.approx(read.ellipsoid.volume_ml * 5 / 6, rel=0.03)
    command = ("measure", source, tmp_path / "mine.nii.gz", "-o", tmp_path / "alone", "--progress", "none")
    call(*command, "--transverse", out / "transverse")
    alone = Result.read(tmp_path / "alone").findings.ellipsoid
    assert alone is not None and alone.volume_ml == pytest.approx(corrected.ellipsoid.volume_ml, rel=0.01)


@pytest.mark.usefixtures("engine")
def test_a_picture_is_segmented_with_its_pixel_size(tmp_path: Path) -> None:
    Image.fromarray(frame()).save(tmp_path / "kidney.png")
    options = ("--task", "ultrasound", "--progress", "none", "--device", "cpu")
    said = call("segment", tmp_path / "kidney.png", "-o", tmp_path / "out", *options)
    assert "Kidney: length 1" in said and "pixels" in said.splitlines()[0] and "mm" not in said.splitlines()[0]
    said = call("segment", tmp_path / "kidney.png", "-o", tmp_path / "out", *options, "--pixel-mm", "0.8")
    assert "length 97 mm, width 49 mm" in said
    call("report", tmp_path / "out", "--image", tmp_path / "kidney.png")


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--task", "ct-slice", "--region", 1), "add --task ultrasound"),
        (("--task", "ct", "--frame", 1), "add --task ultrasound"),
        (("--task", "ultrasound", "--window", -160, 240), "pictures of CT slices"),
        (("--task", "ultrasound", "--series", "1"), "chooses among CT series"),
        (("--task", "ct", "--transverse", "x"), "add --task ultrasound"),
        (("--task", "ultrasound", "--transverse", "nowhere.dcm"), "does not exist"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path: Path, options: tuple[object, ...], sentence: str) -> None:
    path = write(tmp_path, frame(), [region()])
    with pytest.raises(KidneySegError, match=sentence):
        call("segment", path, "-o", tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


def test_findings_of_earlier_versions_have_no_views(tmp_path: Path) -> None:
    values = json.loads(findings_of(write(tmp_path, frame(), [region()])).to_json())
    del values["views"], values["ellipsoid"]
    assert Findings.from_json(json.dumps(values)).views == ()


def test_the_stand_in_for_the_network_sees_the_field_of_view_only(tmp_path: Path) -> None:
    grey = frame(ellipse((120, 80), (25, 50)), ellipse((120, 250), (30, 60)))
    path = tmp_path / "two.dcm"
    dataset(grey, [region((0, 0, 160, 240)), region((160, 0, 320, 240))]).save_as(path, enforce_file_format=True)
    labels = result_of(path, region=1).segmentation.labels
    assert labels[..., :160].any() and not labels[..., 160:].any()
    assert bright(result_of(path).image.volume)[0].any()
