"""No identifying value is left, wherever it was planted; what the image is made of stays bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest
from deidentification_cases import (
    BIRTH,
    GIVEN,
    IDENTIFIER,
    MARKERS,
    NAME,
    SECRET,
    assert_nothing_left,
    pixels_and_place,
    plant_everywhere,
    plant_in_odd_places,
    write_ct,
)
from dicom_writing import transcode
from pydicom import dcmread, dcmwrite
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGLosslessSV1

from KidneySegLib.deidentification.dataset import Options
from KidneySegLib.deidentification.folder import Summary, deidentify
from KidneySegLib.readers.input import read_input

pytest.importorskip("dicomanonymizer", reason="the extra 'deidentification' is not installed")


def copies(source: Path, output: Path, **options: bool) -> tuple[list[Path], Summary]:
    summary = deidentify(source, output, SECRET, Options(**options))
    return sorted(path for path in output.rglob("*") if path.is_file()), summary


@pytest.mark.parametrize("options", [{}, {"shift_dates": True}, {"keep_characteristics": True}])
def test_values_planted_in_all_attributes_are_gone(tmp_path: Path, options: dict[str, bool]) -> None:
    [path] = write_ct(tmp_path / NAME, 1)
    dataset = dcmread(path)
    plant_everywhere(dataset)
    assert len(dataset) > 1500
    plant_in_odd_places(dataset)
    dataset.save_as(path)
    assert all(marker.encode() in path.read_bytes() for marker in MARKERS)
    [copy], summary = copies(tmp_path / NAME, tmp_path / "out", keep_captures=True, **options)
    assert (summary.left_out, summary.may_show_text) == ({}, 1)
    # times of day are part of a course over time
    markers = [marker for marker in MARKERS if not (options.get("shift_dates") and marker == "131719.25")]
    assert_nothing_left(copy, markers)
    cleaned = dcmread(copy)
    assert not any(element.tag.is_private for element in cleaned.iterall())
    assert cleaned.PatientIdentityRemoved == "YES"


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_other_transfer_syntaxes(tmp_path: Path, syntax: str) -> None:
    [path] = write_ct(tmp_path / "in", 1)
    dataset = dcmread(path)
    plant_in_odd_places(dataset)
    dataset.PatientName, dataset.PatientID = f"{NAME}^{GIVEN}", IDENTIFIER
    dataset.PixelData = dataset.PixelData[:160]
    big_endian = syntax == ExplicitVRBigEndian
    if big_endian:
        dataset.PixelData = dataset.pixel_array.astype(">i2").tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    dcmwrite(path, dataset, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=not big_endian)
    [copy], _ = copies(tmp_path / "in", tmp_path / "out")
    assert_nothing_left(copy, [NAME, IDENTIFIER])
    assert dcmread(copy).file_meta.TransferSyntaxUID == syntax
    assert pixels_and_place(copy) == pixels_and_place(path)
    assert (dcmread(copy).pixel_array == dcmread(path).pixel_array).all()


def test_pixels_and_geometry_are_the_same_bit_for_bit(tmp_path: Path) -> None:
    paths = write_ct(tmp_path / "in", 6)
    before = [pixels_and_place(path) for path in paths]
    files = [path.read_bytes() for path in paths]
    found, summary = copies(tmp_path / "in", tmp_path / "out")
    assert (summary.files, summary.patients) == (6, 1)
    assert sorted(pixels_and_place(path) for path in found) == sorted(before)
    assert [path.read_bytes() for path in paths] == files, "the originals stay as they are"
    old, new = read_input(tmp_path / "in").stored, read_input(tmp_path / "out").stored
    assert (old.voxels == new.voxels).all() and (old.ijk_to_lps == new.ijk_to_lps).all()


def test_compressed_pixels_are_not_touched(tmp_path: Path) -> None:
    [path] = write_ct(tmp_path / "in", 1)
    transcode(path, JPEGLosslessSV1)
    [copy], _ = copies(tmp_path / "in", tmp_path / "out")
    assert dcmread(copy).PixelData == dcmread(path).PixelData
    assert dcmread(copy).file_meta.TransferSyntaxUID == JPEGLosslessSV1


@pytest.mark.parametrize(
    ("charset", "name", "manufacturer"),
    [
        ("ISO_IR 148", "Yılmaz^Ayşegül", "Öğüt Sağlık"),
        ("ISO_IR 100", "Müller^Françoise", "Société Générale"),
        ("ISO_IR 192", "Øðlafsson^Þóra", "東芝 Ελλάς"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう", "東芝メディカル"),
    ],
)
def test_character_sets_survive_and_hide_nothing(
    tmp_path: Path, charset: str | list[str], name: str, manufacturer: str
) -> None:
    kept = {"SpecificCharacterSet": charset, "Manufacturer": manufacturer, "PatientName": name}
    [path] = write_ct(tmp_path / "in", 1, **kept, ManufacturerModelName=f"of {name.split('^')[0]}")
    [copy], _ = copies(tmp_path / "in", tmp_path / "out")
    dataset = dcmread(copy)
    assert dataset.Manufacturer == manufacturer
    assert dataset.ManufacturerModelName == "REMOVED"
    assert str(dataset.PatientName).startswith("KS-")
    stored = copy.read_bytes()
    for part in name.replace("=", "^").split("^"):
        for encoding in ("utf-8", "latin-1", "iso8859-9", "iso2022_jp"):
            form = part.encode(encoding, "ignore")
            assert len(form) < len(part) or form not in stored


def test_short_names_go_only_where_they_stand_alone(tmp_path: Path) -> None:
    names = {"PatientName": "Li^Wu", "Manufacturer": "Li Wu", "ManufacturerModelName": "Limit Wurm"}
    [path] = write_ct(tmp_path / "in", 1, **names)
    [copy], _ = copies(path, tmp_path / "out")
    assert (dcmread(copy).Manufacturer, dcmread(copy).ManufacturerModelName) == ("REMOVED", "Limit Wurm")


def test_a_phantom_called_ct_stays_readable(tmp_path: Path) -> None:
    write_ct(tmp_path / "in", 4, PatientName="CT^Phantom", PatientID="1", InstitutionName="CT")
    copies(tmp_path / "in", tmp_path / "out")
    assert read_input(tmp_path / "out").source.modality == "CT"


def test_characteristics_are_kept_on_demand_and_rare_ages_are_not(tmp_path: Path) -> None:
    values = {"PatientSex": "F", "PatientWeight": "61.5", "PatientAge": "093Y", "PatientBirthDate": BIRTH}
    [path] = write_ct(tmp_path / "in", 1, **values)
    [plain], _ = copies(path, tmp_path / "plain")
    [kept], _ = copies(path, tmp_path / "kept", keep_characteristics=True)
    assert not dcmread(plain).PatientSex and "PatientAge" not in dcmread(plain)
    dataset = dcmread(kept)
    assert (dataset.PatientSex, str(dataset.PatientWeight), dataset.PatientAge) == ("F", "61.5", "090Y")
    assert not dataset.PatientBirthDate
    codes = [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113108"]


def test_a_flag_that_names_the_patient_keeps_its_code_alone() -> None:
    from pydicom.dataset import Dataset

    from KidneySegLib.deidentification.identity import Identity
    from KidneySegLib.deidentification.result_files import _clean_flag
    from KidneySegLib.flags import Flag, Severity

    dataset = Dataset()
    dataset.PatientName = "Geheimnis^Ayse"
    identity = Identity()
    identity.learn(dataset)
    for values in (
        {"text": "Series of Geheimnis was read."},
        {"network": "AYSE", "smaller": [8, 8, 8], "usual": [9, 9, 9]},
    ):
        cleaned = _clean_flag(Flag("memory_guard", Severity.WARNING, values), identity)
        assert (cleaned.code, cleaned.severity) == ("memory_guard", Severity.WARNING)
        assert not identity.is_in(str(cleaned.to_dict()))
    plain = Flag.of("noise", noise_hu=30)
    assert _clean_flag(plain, identity) is plain
