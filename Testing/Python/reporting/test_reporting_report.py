"""The report says what the findings say, in every language, and nothing about the patient unless asked."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from prior_cases import grown_prior
from report_cases import LANGUAGES, Written, case, with_source, written
from reporting_cases import findings_of, phantom

from KidneySegLib.errors import GeometryError, InputError
from KidneySegLib.findings import Findings
from KidneySegLib.flags import TEXT, Flag, Severity
from KidneySegLib.languages.language import Language
from KidneySegLib.readers.dicom.finding.patient import Patient

DEIDENTIFIED = "De-identified: no name, number or date of birth, no date of the exam."
DECIMAL = {"en": ".", "es": ",", "tr": ","}


@pytest.fixture(scope="module", params=LANGUAGES)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Written, Findings]:
    volume, labels, findings = case()
    folder = tmp_path_factory.mktemp("report") / "out"
    options = {"language": request.param, "header": "Klinik Şişli · Clínica Nº 1"}
    return request.param, written(folder, volume, labels, findings, **options), findings


def numbers(values: list[tuple[float, int]], language: str) -> list[str]:
    return [f"{value:.{digits}f}".replace(".", DECIMAL[language]) for value, digits in values]


def test_both_files_hold_the_numbers_of_the_findings(report: tuple[str, Written, Findings]) -> None:
    language, files, findings = report
    (mass,), stones = findings.lesions, findings.stones
    of = mass.measures
    expected = [(kidney.organ_volume_ml, 0) for kidney in findings.kidneys]
    expected += [(kidney.measures.length_mm, 0) for kidney in findings.kidneys]
    expected += [(of.axial_diameter_mm, 1), (of.perpendicular_mm, 1), (of.length_mm, 1), (of.volume_ml, 1)]
    expected += [(stone.length_mm, 1) for stone in stones if stone.length_mm is not None]
    expected += [(stone.volume_mm3, 0) for stone in stones if stone.volume_mm3 is not None]
    assert len(expected) >= 10
    for text in (files.text, files.html.text):
        for number in numbers(expected, language):
            assert re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d.,]\d)", text), number
        row = numbers([(of.axial_diameter_mm, 1), (of.perpendicular_mm, 1)], language)
        assert f"{row[0]} × {row[1]}" in text and f"{of.hu_mean:.0f} ± {of.hu_sd:.0f}" in text


def test_no_number_has_the_other_languages_sign(report: tuple[str, Written, Findings]) -> None:
    language, files, findings = report
    text = re.sub(r"\d+\.\d+\.\d+", "", files.text)  # versions
    if language == "en":
        assert not re.search(r"\d,\d", text)
    else:
        assert not re.search(r"\d\.\d", re.sub(r"1\.0\.0|0\.1\.0", "", text))


def test_every_page_says_what_it_is(report: tuple[str, Written, Findings]) -> None:
    language, files, _ = report
    disclaimer = Language.of(language).text("Research use, not a medical device")
    pages = files.pages
    assert 1 <= len(pages) <= 2
    for number, text in enumerate(pages, start=1):
        assert disclaimer in text and "Klinik Şişli · Clínica Nº 1" in text
        assert "KidneySeg 0.1.0 · ct-kidney 1.0.0 (sha256 00)" in text
        wanted = Language.of(language).text("Page {page} of {pages}").format(page=number, pages=len(pages))
        assert wanted in text
    assert disclaimer in files.html.text


def test_technique_and_phase_are_told(report: tuple[str, Written, Findings]) -> None:
    language, files, findings = report
    assert findings.phase is not None
    for text in (files.text, files.html.text):
        assert "MAKER One & <Two>, 120 kV" in text and "B30f" in text
        assert f"{findings.phase.evidence['cortex_hu']:.0f}" in text
        assert Language.of(language).text("cortex") in text
        assert Language.of(language).date(date(2026, 1, 1)) in text


def test_all_fonts_are_embedded(report: tuple[str, Written, Findings]) -> None:
    _, files, _ = report
    fonts = [font.get_object() for page in files.pdf.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        assert "/FontFile2" in font["/FontDescriptor"] and "Vera" in font["/BaseFont"]


def test_letters_of_the_languages_come_out_whole(tmp_path_factory: pytest.TempPathFactory) -> None:
    volume, labels, findings = case()
    flag = Flag("x", Severity.WARNING, {TEXT: "ğĞıİşŞöÖüÜçÇ áéíóúñÑ¿¡ ±×≥≤−–µ°"})
    files = written(tmp_path_factory.mktemp("letters"), volume, labels, replace(findings, flags=(flag,)), language="tr")
    assert flag.message in files.text and flag.message in files.html.text


def test_html_is_whole_accessible_and_complete(report: tuple[str, Written, Findings]) -> None:
    language, files, _ = report
    page = files.html
    assert page.language == language and len(page.named("title")) == 1 and len(page.named("h1")) == 1
    assert not page.named("script") and not page.named("link")
    images = page.named("img")
    assert all(image["alt"] and image["src"] and image["src"].startswith("data:image/jpeg;base64,") for image in images)
    assert all(Image.open(io.BytesIO(base64.b64decode(str(image["src"])[23:]))).size[0] > 300 for image in images)
    cells = page.named("th")
    assert cells and all(cell.get("scope") in ("row", "col", "colgroup") for cell in cells)
    assert len(page.named("table")) == 3 and all("aria-labelledby" in table for table in page.named("table"))


def test_every_picture_is_in_both_files(report: tuple[str, Written, Findings]) -> None:
    """Coronal and axial in three ways, and close-ups of the mass and the stones."""
    _, files, findings = report
    in_pdf = sum(len(page.images) for page in files.pdf.pages)
    shown = len(findings.lesions) + len(findings.stones)
    assert in_pdf == len(files.html.named("img")) == 6 + shown
    for finding in (*findings.lesions, *findings.stones):
        assert f"{finding.id}: " in files.pages[-1]


def test_nothing_about_the_patient_unless_asked(report: tuple[str, Written, Findings]) -> None:
    language, files, _ = report
    sentence = Language.of(language).text(DEIDENTIFIED)
    assert sentence in files.text and sentence in files.html.text
    assert files.pdf.metadata is not None
    assert files.pdf.metadata.title == Language.of(language).text("Kidneys on CT: report")
    assert files.pdf.metadata.author == "KidneySeg 0.1.0 · ct-kidney 1.0.0 (sha256 00)"
    assert files.pdf.metadata.subject == Language.of(language).text("Research use, not a medical device")
    assert not files.pdf.metadata.get("/Keywords") and files.pdf.xmp_metadata is None


def test_uids_stay_out(tmp_path_factory: pytest.TempPathFactory) -> None:
    volume, labels, findings = case()
    traced = with_source(findings, study_uid="1.2.3.4.5", series_uid="1.2.3.4.6", sop_instance_uids=["1.2.3.4.7"])
    files = written(tmp_path_factory.mktemp("uids"), volume, labels, traced)
    raw = (files.folder / "report.html").read_text(encoding="utf-8") + files.text
    assert "1.2.3.4" not in raw


PATIENT = Patient("Öztürk, Gül <b>", "A&1234", date(1960, 5, 3), "F", date(2026, 6, 7), "ACC-7")
SAID_OF_HER = {
    "en": "Öztürk, Gül <b>; patient ID A&1234; born 3 May 1960; female",
    "es": "Öztürk, Gül <b>; ID del paciente A&1234; fecha de nacimiento 3 de mayo de 1960; mujer",
    "tr": "Öztürk, Gül <b>; hasta no A&1234; doğum tarihi 3 Mayıs 1960; kadın",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_identified_report_names_the_patient(language: str, tmp_path: Path) -> None:
    files = written(tmp_path, *case(), patient=PATIENT, language=language)
    for text in (*files.pages, files.html.text):
        assert SAID_OF_HER[language] in text, "on each page"
    for text in (files.text, files.html.text):
        assert Language.of(language).date(date(2026, 6, 7)) in text and "ACC-7" in text
        assert Language.of(language).text(DEIDENTIFIED) not in text
    assert "Öztürk" not in str(files.pdf.metadata) and "Öztürk" not in str(files.html.named("meta"))


def test_a_patient_without_dates_is_named_by_what_is_known(tmp_path: Path) -> None:
    text = written(tmp_path, *case(), patient=Patient("", "A1")).text
    assert "Patient patient ID A1 Image" in text and "De-identified" not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["Иванова, Анна", "Παπαδοπούλου, Μαρία", "山田, 太郎", "김, 철수"])
def test_a_name_that_the_font_lacks_stands_in_the_html_alone(language: str, name: str, tmp_path: Path) -> None:
    files = written(tmp_path, *case(), patient=replace(PATIENT, name=name), language=language)
    words = Language.of(language).text("name cannot be printed in this font")
    assert f"{words}; {SAID_OF_HER[language].split('; ', 1)[1]}" in files.text and name not in files.text
    assert name in files.html.text and words not in files.html.text


def test_a_number_that_the_font_lacks_does_not_stop_the_report(tmp_path: Path) -> None:
    patient = Patient("Doe, Jane", "Ж12", accession_number="Щ3")
    files = written(tmp_path, *case(), patient=patient)
    assert "Doe, Jane; patient ID cannot be printed in this font" in files.text
    assert "Accession number cannot be printed in this font" in files.text
    assert "Ж12" in files.html.text and "Щ3" in files.html.text


def test_flags_come_worst_first_in_the_reports_language(tmp_path_factory: pytest.TempPathFactory) -> None:
    volume, labels, findings = case()
    flags = (
        Flag.of("lossy_compression"),
        Flag("b", Severity.WARNING, {TEXT: "Something old that no catalogue knows."}),
        Flag("c", Severity.ERROR, {TEXT: "The {x} & <y> were wrong."}),
        Flag.of("kidney_cut", side="left", ends=["feet", "head"], seen_mm=43),
    )
    files = written(tmp_path_factory.mktemp("flags"), volume, labels, replace(findings, flags=flags), language="es")
    for text in (files.text, files.html.text):
        places = [
            text.index("Error The {x} & <y> were wrong."),
            text.index("Revisar Something old that no catalogue knows."),
            text.index(
                "Revisar El riñón izquierdo llega al borde de la imagen hacia los pies y la cabeza: puede faltar"
            ),
            text.index("Nota Las imágenes se comprimieron con pérdida"),
        ]
        assert places == sorted(places)


@pytest.mark.parametrize("language", LANGUAGES)
def test_change_since_a_prior_exam(language: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    volume, labels, findings, prior = grown_prior()
    files = written(tmp_path_factory.mktemp("prior"), volume, labels, findings, language=language, prior=prior)
    before, now = prior.findings.lesions[0].measures, findings.lesions[0].measures
    cells = [(before.volume_ml, 1), (now.volume_ml, 1)]
    old, new = numbers(cells, language)
    grown = "+" + numbers([(now.volume_ml - before.volume_ml, 1)], language)[0]
    share = f"+{100 * (now.volume_ml / before.volume_ml - 1):.0f}"
    year = "+" + numbers([((now.volume_ml - before.volume_ml) * 365.25 / 100, 1)], language)[0]
    doubling = f"{100 * np.log(2) / np.log(now.volume_ml / before.volume_ml):.0f}"
    speaking = Language.of(language)
    for text in (files.text, files.html.text):
        assert f"{old} {new} {grown} {share} {year}" in text and f" {doubling} " in text
        assert speaking.plural("{n} day", "{n} days", 100) in text
        assert speaking.text("no longer found") in text


def test_the_same_input_gives_the_same_bytes(tmp_path_factory: pytest.TempPathFactory) -> None:
    one, other = (written(tmp_path_factory.mktemp("same"), *case(), language="tr") for _ in range(2))
    for name in ("report.pdf", "report.html"):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()


def test_wrong_arguments_are_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    volume, labels = phantom()
    findings = findings_of(volume, labels)
    folder = tmp_path_factory.mktemp("refused") / "out"
    with pytest.raises(GeometryError, match="does not fit"):
        written(folder, volume, labels[1:], findings)
    with pytest.raises(InputError, match="en, es, tr"):
        written(folder, volume, labels, findings, language="de")
    with pytest.raises(InputError, match="room for 90"):
        written(folder, volume, labels, findings, header="x" * 91)
    with pytest.raises(InputError, match="lacks БК"):
        written(folder, volume, labels, findings, header="КБ")
    assert not folder.exists()
