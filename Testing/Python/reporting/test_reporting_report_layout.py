"""The report's shape: one or two pages whatever there is to show, and whole files or none."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from lesion_cases import ball, draw, grid, kidneys
from numpy.typing import NDArray
from report_cases import LANGUAGES, case, written
from reporting_cases import findings_of, phantom
from result_cases import described_slice, result_of

from KidneySegLib.errors import OutputError
from KidneySegLib.findings import Findings
from KidneySegLib.flags import TEXT, Flag, Severity
from KidneySegLib.follow_up.comparison import Prior
from KidneySegLib.languages.language import Language
from KidneySegLib.pictures.panels import Style, draw_panel, line_colour
from KidneySegLib.pictures.views import View
from KidneySegLib.readers.dicom.finding.patient import Patient
from KidneySegLib.reporting.report import FILES, write_report
from KidneySegLib.volume import Volume


def crowded(lesions: int, stones: int) -> tuple[Volume, NDArray, Findings]:
    """Kidneys with many lesions and stones, sizes descending."""
    volume = grid((1.5, 1.5, 2.0), (220.0, 80.0, 130.0))
    places = [(x, y, z) for z in range(-44, 45, 11) for x in (-70, -54, 54, 70) for y in (-8, 8)]
    bodies = [(3 if n % 2 else 4, ball(place, 4.5 - 0.04 * n)) for n, place in enumerate(places[:lesions])]
    labels = draw(volume, [*kidneys(), *bodies])
    for n, (x, y, z) in enumerate(places[::-1][:stones]):
        k, j, i = np.rint(volume.to_kji(np.array((x, y, z)))).astype(int)
        labels[k : k + 2, j : j + 2, i - 1 : i + 1 + n % 2] = 5
    return volume, labels, findings_of(volume, labels)


@pytest.mark.parametrize("kept", [(1, 2), (1,), (2,), ()])
def test_any_number_of_kidneys(tmp_path: Path, kept: tuple[int, ...]) -> None:
    volume, labels = phantom()
    labels[~np.isin(labels, kept)] = 0
    files = written(tmp_path / "out", volume, labels, findings_of(volume, labels))
    assert len(files.pages) == 1
    assert ("No kidney was found." in files.text) == (not kept)
    assert files.text.count("not found") == (1 if len(kept) == 1 else 0)
    pictures = sum(len(page.images) for page in files.pdf.pages)
    assert pictures == len(files.html.named("img")) == (6 if kept else 2)


def test_twelve_lesions(tmp_path: Path) -> None:
    volume, labels, findings = crowded(12, 0)
    assert len(findings.lesions) == 12
    files = written(tmp_path / "out", volume, labels, findings)
    assert len(files.pages) == 2
    for lesion in findings.lesions:
        assert f"{lesion.id} " in files.pages[0] and f"{lesion.id}: " in files.pages[1]
    assert "not shown" not in files.text and "not listed" not in files.text


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    volume, labels, findings = crowded(20, 16)
    lesions, stones = len(findings.lesions), len(findings.stones)
    assert lesions > 14 and stones == 16
    files = written(tmp_path / "out", volume, labels, findings)
    assert len(files.pages) == 2
    shown = sum(f"{finding.id}: " in files.pages[1] for finding in (*findings.lesions, *findings.stones))
    assert shown >= 4
    assert f"{lesions + stones - shown} lesions or stones are not shown close up." in files.text
    assert f"{lesions - 12} smaller ones are not listed here; they are in measurements.csv." in files.text
    largest = max(findings.lesions, key=lambda lesion: lesion.measures.axial_diameter_mm)
    assert f"{largest.id}: " in files.pages[1]
    total = len(findings.lesions) + len(findings.stones)
    in_html = sum(f"{finding.id}: " in files.html.text for finding in (*findings.lesions, *findings.stones))
    assert in_html == 12 and f"{total - 12} lesions or stones are not shown" in files.html.text


LONG_NAMES = Patient("W" * 64, "M" * 64, date(1960, 12, 31), "O", date(2026, 12, 31), "W" * 64)


@pytest.mark.parametrize(("patient", "left_out"), [(None, 27), (LONG_NAMES, 28)], ids=["de-identified", "identified"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_two_pages_hold_the_worst_case(tmp_path: Path, language: str, patient: Patient | None, left_out: int) -> None:
    volume, labels, findings = crowded(20, 16)
    word = "remark " * 200
    flags = tuple(Flag("x", severity, {TEXT: f"{number} {word}"}) for severity in Severity for number in range(12))
    prior = Prior(volume.like(labels), findings, 365)
    crammed = replace(findings, flags=flags)
    options = {"prior": prior, "header": "W" * 90, "patient": patient}
    files = written(tmp_path / "out", volume, labels, crammed, language=language, **options)
    assert len(files.pages) == 2
    assert sum(len(page.images) for page in files.pdf.pages) >= 3
    speaking = Language.of(language)
    one, many = "{n} further remark is in findings.json.", "{n} further remarks are in findings.json."
    assert speaking.plural(one, many, left_out) in files.text


@pytest.mark.parametrize("thickness", [None, 3.0])
def test_a_single_slice(tmp_path: Path, thickness: float | None) -> None:
    volume, labels = phantom()
    part = (slice(18, 19), slice(None), slice(None))
    volume, labels = volume.crop(part), labels[part].copy()
    labels[labels == 3] = 2
    whole = findings_of(volume, labels)
    findings = described_slice(
        volume, labels, thickness_mm=thickness, estimated_hu=False, flags=[], provenance=whole.provenance
    )
    files = written(tmp_path / "out", volume, labels, findings)
    assert "one slice, 90 × 60 pixels of 3.00 × 3.00 mm" in files.text
    assert "Coronal" not in files.text and "Axial: segments" in files.text
    assert ("Right kidney – – " in files.text) == (thickness is None)
    assert "nan" not in files.text + files.html.text


def test_kidneys_in_any_order_of_storage_give_the_same_pictures(tmp_path: Path) -> None:
    volume, labels, findings = case()
    order = volume.axis_order()
    flipped = replace(order, flipped=(True, False, True))
    stored, stored_labels = volume.reordered(flipped), np.ascontiguousarray(flipped.apply(labels))
    one = written(tmp_path / "one", volume, labels, findings)
    other = written(tmp_path / "other", stored, stored_labels, findings)
    assert (one.folder / "report.pdf").read_bytes() == (other.folder / "report.pdf").read_bytes()


def test_segments_are_filled_and_the_background_is_removed() -> None:
    image = np.full((50, 50), 40, np.float32)
    labels = np.zeros((50, 50), np.uint8)
    labels[15:35, 15:35] = 3
    view = View("", image, labels, (1.0, 1.0), ("", "", "", ""), (0, 49, 0, 49))
    drawn = {style: np.asarray(draw_panel(view, (500, 500), (-160, 240), style)).astype(int) for style in Style}
    inside, outside = (250, 250), (60, 250)
    for style, pixels in drawn.items():
        coloured = np.ptp(pixels[inside]) > 20
        assert coloured == (style in (Style.OVERLAY, Style.CUT_OUT))
        assert (pixels[outside].max() == 0) == (style is Style.CUT_OUT)
        lines = (np.abs(pixels - line_colour(3)).sum(axis=-1) < 60).any()
        assert lines == (style in (Style.CONTOURS, Style.OVERLAY))


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (OSError(28, "No space left on device"), OutputError, "disk has space left"),
        (PermissionError(13, "held open"), OutputError, "no permission"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
)
def test_failure_leaves_the_old_report(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    raised: type[BaseException],
    words: str | None,
) -> None:
    volume, labels, findings = case()
    folder = tmp_path / "out"
    folder.mkdir()
    write_report(folder, result_of(volume, labels, findings))
    before = {name: (folder / name).read_bytes() for name in FILES}

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("KidneySegLib.result_files.folder.os.replace", fail)
    with pytest.raises(raised, match=words):
        write_report(folder, result_of(volume, labels, findings), header="Another")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of files")
def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    import resource

    volume, labels, findings = case()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OutputError, match="disk has space left"):
            write_report(tmp_path / "out", result_of(volume, labels, findings))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    volume, labels, findings = case()
    (tmp_path / "findings.json").write_text("mine")
    write_report(tmp_path, result_of(volume, labels, findings))
    assert (tmp_path / "findings.json").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILES, "findings.json"])
