"""Tens of thousands of identifiers in one patient's study, in every attribute, depth, encoding and kind of pixels."""

from __future__ import annotations

from pathlib import Path

import pytest
from deidentification_cases import SECRET, write_ct
from dicom_writing import transcode
from planted_identifiers import PERSON, leaks, plant
from pydicom import dcmread, dcmwrite
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    RLELossless,
)
from test_deidentification_pixels import after_start, j2k_comment, jpeg_segment, rle_offsets

from KidneySegLib.deidentification.dataset import Options
from KidneySegLib.deidentification.folder import deidentify
from KidneySegLib.readers.dicom.finding.scan import quiet_pydicom

pytest.importorskip("dicomanonymizer", reason="the extra 'deidentification' is not installed")

_STREAMS = {
    JPEGLosslessSV1: lambda stream: after_start(stream, jpeg_segment(0xFE, b"Geheimnis 77345612 ")),
    JPEG2000Lossless: lambda stream: j2k_comment(stream, b"Geheimnis 19480317"),
    RLELossless: rle_offsets,
}
_SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, *_STREAMS)


def planted_study(folder: Path) -> int:
    """Writes one file for each way to encode it; returns how many identifiers are in them."""
    planted = 0
    with quiet_pydicom():
        for number, syntax in enumerate(_SYNTAXES):
            place = folder / "Geheimnis" / "KS-7734-5612" / f"{number} 19480317"
            [path] = write_ct(place, 1, **PERSON, StudyInstanceUID="1.2.3.19480317")
            if syntax in _STREAMS:
                transcode(path, syntax)
            dataset = dcmread(path)
            planted += plant(dataset, 2, number) + _beside_the_data_set(dataset)
            if syntax in _STREAMS:
                [stream] = generate_frames(dataset.PixelData, number_of_frames=1)
                dataset.PixelData = encapsulate([_STREAMS[syntax](stream)])
            else:
                dataset.PixelData = dataset.PixelData[:160] + b"Geheimnis 77345612"
            dataset.file_meta.TransferSyntaxUID = syntax
            dcmwrite(path, dataset, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
            path.rename(place / "Ayşegül 77345612.dcm")
            planted += 4  # in the pixels and in three names
    return planted


def _beside_the_data_set(dataset: FileDataset) -> int:
    meta = dataset.file_meta
    for keyword in ("SourceApplicationEntityTitle", "SendingApplicationEntityTitle", "ImplementationVersionName"):
        setattr(meta, keyword, "GEHEIMNIS")
    meta.PrivateInformationCreatorUID, meta.PrivateInformation = "1.2.77345612", b"Geheimnis "
    dataset.preamble = b"Geheimnis 19480317".ljust(128, b"\0")
    dataset.add_new(0xFFFCFFFC, "OB", b"Geheimnis ")
    return 7


@pytest.mark.parametrize("options", [{}, {"shift_dates": True, "keep_characteristics": True}])
def test_none_of_the_planted_identifiers_is_found(tmp_path: Path, options: dict[str, bool]) -> None:
    planted = planted_study(tmp_path / "in")
    assert planted > 40_000
    for path in (tmp_path / "in").rglob("*.dcm"):
        assert len(leaks(path)) > 1000, "the search finds what is there"
    summary = deidentify(tmp_path / "in", tmp_path / "out", SECRET, Options(keep_captures=True, **options))
    assert (summary.files, summary.patients, dict(summary.left_out)) == (len(_SYNTAXES), 1, {})
    assert [leak for path in (tmp_path / "out").rglob("*.dcm") for leak in leaks(path)] == []


def test_the_recipe_of_deid_finds_nothing_left_to_remove(tmp_path: Path) -> None:
    """What its recipe removes is gone from our copies too, is a pseudonym, or holds a dummy value."""
    config = pytest.importorskip("deid.config", reason="the package 'deid' is not installed")
    removed = [action["field"] for action in config.DeidRecipe().get_actions() if action["action"] == "REMOVE"]
    assert len(removed) > 50
    [path] = write_ct(tmp_path / "in", 1, **PERSON)
    with quiet_pydicom():
        dataset = dcmread(path)
        plant(dataset, 2, 0)
        dataset.save_as(path)
    deidentify(path, tmp_path / "out", SECRET, Options(keep_captures=True))
    copy = dcmread(next((tmp_path / "out").rglob("*.dcm")))
    dummies = {"", "REMOVED", "19000101", "000000", "19000101000000", "000Y", "None", "0"}
    # pseudonyms
    allowed = {"PatientID", "PatientName"}
    left = [
        f"{element.keyword}: {element.value}"
        for element in copy.iterall()
        if element.VR not in ("UI", "SQ") and element.keyword not in allowed and str(element.value or "") not in dummies
    ]
    assert [text for text in left if any(_is_meant(field, text.split(":")[0]) for field in removed)] == []


def _is_meant(field: str, keyword: str) -> bool:
    """Whether a field of the recipe (a keyword, or how one begins or ends) means an attribute."""
    how, _, word = field.lower().rpartition(":")
    own = keyword.lower()
    return {"": own == word, "contains": word in own, "startswith": own.startswith(word)}.get(how, own.endswith(word))
