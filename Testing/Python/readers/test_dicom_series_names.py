"""A series is named as users see it, phases are named, and exams of several patients are never mixed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dicom_writing import AXIAL, codes, even_positions, write_field

from KidneySegLib.errors import InputError
from KidneySegLib.flags.series import REASONS, SERIES_WORDS
from KidneySegLib.languages.language import Language
from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.readers.dicom.finding.body_regions import BodyRegion, is_surely_without_kidneys, regions
from KidneySegLib.readers.dicom.finding.derivation import Derivation, derived
from KidneySegLib.readers.dicom.finding.merit import CRITERIA
from KidneySegLib.readers.dicom.finding.phases import Delay, NamedPhase, delay_of, phase_in, worth
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom
from KidneySegLib.readers.dicom.finding.series import Kind

SECRET = "SECRET^JANE"


def write(folder: Path, number: int | None, name: str = "", **attributes: Any) -> None:
    values = {"SeriesNumber": number, "SliceThickness": 5, "SeriesDescription": SECRET, **attributes}
    with quiet_pydicom():  # some values are no valid ones
        write_field(
            folder / (name or f"series{number}"),
            even_positions((0, 0, 100), AXIAL, 5.0, 12),
            shape=(4, 5),
            **{"SpecificCharacterSet": "ISO_IR 192", **values},
        )


def message(folder: Path, code: str, **options: Any) -> str:
    return next(flag.message for flag in read_ct(folder, **options).flags if flag.code == code)


@pytest.mark.parametrize("name", ["4", "04", " 4 ", "series 4", "Series 4", "1.2.3.4", "venous thin", "NOUS"])
def test_a_series_is_named_by_what_is_shown_or_known(tmp_path: Path, name: str) -> None:
    write(tmp_path, 3, SeriesDescription="Arterial")
    write(tmp_path, 4, SeriesInstanceUID="1.2.3.4", SeriesDescription="Venous  thin")
    write(tmp_path, 44)
    read = read_ct(tmp_path, series_uid=name)
    assert read.source.series_uid == "1.2.3.4" and codes(read) == []


def test_what_the_message_says_can_be_typed(tmp_path: Path) -> None:
    write(tmp_path, 3)
    write(tmp_path, 4, SeriesInstanceUID="1.2.3.4")
    said = message(tmp_path, "series_left_out")
    assert said.endswith("If another one was meant, name it, such as --series 4.")
    assert read_ct(tmp_path, series_uid=said.split()[-1].rstrip(".")).source.series_uid == "1.2.3.4"


def test_a_part_of_a_series_is_named_after_a_slash(tmp_path: Path) -> None:
    for number, agent in enumerate((None, "Iohexol")):
        write(tmp_path, 5, str(number), SeriesInstanceUID="1.2.3", ConvolutionKernel=f"B{3 + number}0f", **{
            "FrameOfReferenceUID": "1.2.9", "ContrastBolusAgent": agent
        })  # fmt: skip
    assert "--series 5/2" in message(tmp_path, "series_left_out")
    assert [read_ct(tmp_path, series_uid=name).source.kernel for name in ("5/1", "5/2")] == ["B30f", "B40f"]
    assert "part 2 of series 5 (12 images, 5 mm)" in message(tmp_path, "series_left_out", series_uid="5")


def test_a_number_of_two_series_is_refused_with_both(tmp_path: Path) -> None:
    for uid in ("1.2.3.1", "1.2.3.2"):
        write(tmp_path, 2, uid, SeriesInstanceUID=uid)
    with pytest.raises(InputError) as refusal:
        read_ct(tmp_path, series_uid="2")
    for uid in ("1.2.3.1", "1.2.3.2"):
        assert f"series 2 (12 images, 5 mm): --series {uid}" in str(refusal.value)
        assert read_ct(tmp_path, series_uid=uid).source.series_uid == uid
    # what goes into results names no UID: de-identification would have to replace it there
    said = message(tmp_path, "series_left_out")
    assert "1.2.3" not in said and said.endswith("such as --series with its SeriesInstanceUID.")


@pytest.mark.parametrize(
    "name", ["7", "5/3", "nothing like it", "", "\x1b[31m", "{0}", ".*", "-", "99999999999999999999"]
)
def test_an_unknown_name_is_answered_with_what_there_is(tmp_path: Path, name: str) -> None:
    write(tmp_path, 5)
    write(tmp_path, None, "unnumbered", SeriesInstanceUID="1.2.3.9")
    with pytest.raises(InputError) as refusal:
        read_ct(tmp_path, series_uid=name)
    said = str(refusal.value)
    assert "series 5 (12 images, 5 mm): --series 5; a series without number (12 images, 5 mm): --series 1.2.3.9" in said
    assert "SECRET" not in said and said.isprintable()


def test_a_uid_that_is_none_is_not_shown(tmp_path: Path) -> None:
    for number, uid in enumerate(("../../x", SECRET)):
        write(tmp_path, 2, str(number), SeriesInstanceUID=uid)
    with pytest.raises(InputError) as refusal:
        read_ct(tmp_path, series_uid="2")
    assert "SECRET" not in str(refusal.value) and ".." not in str(refusal.value)


@pytest.mark.parametrize("text", [SECRET, "\x1b]0;SECRET\x07 venous", "SECRET\nabdomen", "{SECRET}", "SECRET " * 20])
def test_nothing_that_was_typed_into_a_header_is_shown(tmp_path: Path, text: str) -> None:
    words = {"SeriesDescription": text, "StudyDescription": text, "ProtocolName": text, "BodyPartExamined": text[:16]}
    write(tmp_path, 2, **words)
    write(tmp_path, 3, **words, Modality=text[:16])
    write(tmp_path, 4, **words)
    for flag in read_ct(tmp_path).flags:
        assert "SECRET" not in flag.message and flag.message.isprintable()


def test_phases_are_named_and_the_one_that_was_read(tmp_path: Path) -> None:
    described = {2: "Abd nativ", 3: "Abd arteriel faz", 4: "Fase venosa portal", 5: "Abdomen 480s"}
    for number, text in described.items():
        write(tmp_path, number, SeriesDescription=text)
    read = read_ct(tmp_path)
    said = {flag.code: flag.message for flag in read.flags}
    assert said["several_phases"].startswith(
        "The exam holds several contrast phases: series 2 (non-contrast); series 3 (arterial phase); series 4 (portal "
        "venous phase); series 5 (delay 480 s). The one that was read: portal venous phase."
    )
    assert (
        "series 4 (12 images, 5 mm"
        in said["series_left_out"].split(" was read: its contrast phase shows kidneys best")[0]
    )


def test_phases_are_named_by_the_injection_or_by_each_other(tmp_path: Path) -> None:
    times = {2: "100000", 3: "100130", 4: "100130.4"}
    for number, time in times.items():
        write(tmp_path / "injected", number, AcquisitionTime=time, ContrastBolusStartTime="100020")
        write(tmp_path / "only_times", number, AcquisitionTime=time)
    assert "series 3 (delay 70 s)" in message(tmp_path / "injected", "several_phases")
    said = message(tmp_path / "only_times", "several_phases")
    assert "series 2 (first scan); series 3 (90 s after the first scan). The one that was read: first scan." in said


def test_one_scan_in_two_reconstructions_is_no_second_phase(tmp_path: Path) -> None:
    write(tmp_path, 2, AcquisitionTime="100000")
    write(tmp_path, 3, AcquisitionTime="100000.8", ConvolutionKernel="B60f")
    assert codes(read_ct(tmp_path)) == ["series_left_out"]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"PatientID": "P1"}, {"PatientID": "P2"}, "CT of 2 patients"),
        ({"PatientID": None, "PatientName": "A^B"}, {"PatientID": None, "PatientName": "C^D"}, "CT of 2 patients"),
        ({"StudyDate": "20200101"}, {"StudyDate": "20200102", "StudyInstanceUID": "1.2.9"}, "one patient on 2 days"),
    ],
)
def test_exams_are_not_mixed(tmp_path: Path, first: dict[str, str], second: dict[str, str], words: str) -> None:
    write(tmp_path, 2, "a", SeriesInstanceUID="1.2.3.1", **first)
    write(tmp_path, 2, "b", SeriesInstanceUID="1.2.3.2", **second)
    with pytest.raises(InputError, match=words) as refusal:
        read_ct(tmp_path)
    assert "--series 1.2.3.1" in str(refusal.value) and "--series 1.2.3.2" in str(refusal.value)
    assert "P1" not in str(refusal.value) and "2020" not in str(refusal.value)
    assert read_ct(tmp_path, series_uid="1.2.3.2").source.series_uid == "1.2.3.2"
    assert read_ct(tmp_path / "b").source.series_uid == "1.2.3.2"


def test_a_head_is_refused_unless_it_is_named(tmp_path: Path) -> None:
    write(tmp_path, 2, BodyPartExamined="HEAD", StudyDescription="CT brain plain")
    with pytest.raises(InputError, match="without kidneys.*--series 2"):
        read_ct(tmp_path)
    assert read_ct(tmp_path, series_uid="2").stored.voxels.shape[0] == 12


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("NECKCHESTABDPELV", True),
        ("Base del cráneo a tercio medio del muslo", True),
        ("Schädelbasis bis Oberschenkel", True),
        ("boyundan pelvise", True),
        ("C/A/P", True),
        ("PET/CT", True),
        ("PETROUS BONE", False),
        ("HEADNECK", False),
        ("Head First", False),
        ("Coronal", False),
    ],
)
def test_trunks_by_their_words(text: str, shows: bool) -> None:
    assert bool(regions(text) & {BodyRegion.TRUNK, BodyRegion.ABDOMEN}) is shows


def test_one_text_alone_never_excludes_kidneys() -> None:
    assert not is_surely_without_kidneys("", "", "HEAD", "")
    assert not is_surely_without_kidneys("", "Polytrauma", "HEAD", "Kopf")
    assert is_surely_without_kidneys("", "", "HEAD", "CT Schädel nativ")


@pytest.mark.parametrize(
    ("image_type", "text", "what", "certain"),
    [
        (r"ORIGINAL\PRIMARY\AXIAL", "ABD W IODINE CONTRAST", Derivation.NONE, False),
        (r"ORIGINAL\PRIMARY\AXIAL", "Kidney stones 3.0", Derivation.NONE, False),
        (r"ORIGINAL\PRIMARY\AXIAL", "Iodine Density[mg/ml]", Derivation.MATERIAL, False),
        (r"DERIVED\SECONDARY\AXIAL", "Iodine Density[mg/ml]", Derivation.MATERIAL, True),
        (r"DERIVED\SECONDARY\AXIAL\MAT_REMOVED", "", Derivation.VIRTUAL_NON_CONTRAST, True),
        (r"DERIVED\PRIMARY\AXIAL\VMI", "", Derivation.MONOENERGETIC, True),
        (r"ORIGINAL\PRIMARY\PERFUSION\NONE", "", Derivation.NONE, False),
        (r"DERIVED\SECONDARY\REFORMATTED\AVERAGE", "", Derivation.AVERAGE, True),
        (r"DERIVED\SECONDARY\AXIAL", "AVERAGE WEIGHTED 0.6", Derivation.NONE, True),
    ],
)
def test_derivations(image_type: str, text: str, what: Derivation, certain: bool) -> None:
    found = derived(tuple(image_type.split("\\")), (), text)
    assert (found.what, found.certain) == (what, certain)


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        ("ABD C-", NamedPhase.NON_CONTRAST),
        ("Abd w & w/o", None),
        ("kontrastsız", NamedPhase.NON_CONTRAST),
        ("Spätphase", NamedPhase.DELAYED),
        ("Nefrográfica", NamedPhase.NEPHROGRAPHIC),
        ("Nephrostomy", None),
        ("5 MIN", Delay(300)),
        ("B30f 5.0", None),
    ],
)
def test_phases_by_their_words(text: str, phase: NamedPhase | Delay | None) -> None:
    assert phase_in(text) == phase


def test_delays() -> None:
    assert delay_of("101010", "100900.5") == 69.5
    assert delay_of("20200102000030.0", "235930") == 60
    assert delay_of("100000", "110000") is None and delay_of("xx", "100000") is None
    ordered = [Delay(600), Delay(10), Delay(30), None, Delay(70), Delay(100)]
    assert sorted(ordered, key=worth) == ordered


WORDS: list[Callable[[], list[str]]] = [
    lambda: [str(kind) for kind in Kind if kind is not Kind.SLICES],
    lambda: [str(what) for what in Derivation if what is not Derivation.NONE],
    lambda: [str(phase) for phase in NamedPhase],
    lambda: [str(region) for region in BodyRegion],
]


@pytest.mark.parametrize("words", WORDS)
def test_every_word_of_a_label_has_translations(words: Callable[[], list[str]]) -> None:
    assert set(words()) <= set(SERIES_WORDS)


def test_every_criterion_has_its_reason() -> None:
    assert {criterion.reason for criterion in CRITERIA} == set(REASONS)


@pytest.mark.parametrize(("code", "read"), [("es", "se leyó la serie 4"), ("tr", "seri 4 (12 görüntü, 5 mm, batın")])
def test_the_choice_is_told_in_the_report_s_language(tmp_path: Path, code: str, read: str) -> None:
    for number, text in {2: "Abd nativ", 3: "Abd arterial MIP", 4: "Abd venous", 5: "Chest venous"}.items():
        write(tmp_path, number, SeriesDescription=text)
    for flag in read_ct(tmp_path).flags:
        if flag.code == "not_hounsfield":
            continue
        said = flag.said(Language.of(code))
        assert not re.search(r"\b(images|phase|chest|was read|contrast|slices|left out)\b", said), said
        assert flag.code != "series_left_out" or read in said
