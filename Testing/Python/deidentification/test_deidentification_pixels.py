"""Text beside, between and behind the pixels is gone; what the pixels show is the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from deidentification_cases import NAME, SECRET, write_ct
from dicom_writing import transcode
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, generate_fragments, generate_frames
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from KidneySegLib.deidentification.dataset import Options
from KidneySegLib.deidentification.folder import Summary, deidentify
from KidneySegLib.deidentification.streams import blanked
from KidneySegLib.errors import InputError

pytest.importorskip("dicomanonymizer", reason="the extra 'deidentification' is not installed")

SHORT = "Kaya"  # four letters: too short to be found among the bytes of pixels
TEXT = f"{SHORT}, {NAME} 19480317".encode()


def jpeg_segment(marker: int, text: bytes = TEXT) -> bytes:
    return bytes((0xFF, marker)) + (len(text) + 2).to_bytes(2) + text


def after_start(stream: bytes, segment: bytes) -> bytes:
    return stream[:2] + segment + stream[2:]


def in_front_of_scan(stream: bytes, segment: bytes) -> bytes:
    place = stream.index(b"\xff\xda")
    return stream[:place] + segment + stream[place:]


def j2k_comment(stream: bytes, text: bytes = TEXT) -> bytes:
    """Puts a comment behind the first segment (sizes), where comments of the main header stand."""
    place = 4 + int.from_bytes(stream[4:6])
    return stream[:place] + b"\xff\x64" + (len(text) + 4).to_bytes(2) + b"\0\1" + text + stream[place:]


def j2k_comment_in_tile(stream: bytes) -> bytes:
    place = stream.index(b"\xff\x90")
    end = place + 12
    segment = b"\xff\x64" + (len(TEXT) + 4).to_bytes(2) + b"\0\1" + TEXT
    part = int.from_bytes(stream[place + 6 : place + 10]) + len(segment)
    return stream[: place + 6] + part.to_bytes(4) + stream[place + 10 : end] + segment + stream[end:]


def rle_offsets(stream: bytes) -> bytes:
    return stream[:12] + TEXT[:52].ljust(52) + stream[64:]


PLACES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "comment of JPEG": (JPEGLosslessSV1, lambda s: after_start(s, jpeg_segment(0xFE))),
    "second comment, before the scan": (JPEGLosslessSV1, lambda s: in_front_of_scan(s, jpeg_segment(0xFE))),
    "EXIF": (JPEGLosslessSV1, lambda s: after_start(s, jpeg_segment(0xE1, b"Exif\0\0" + TEXT))),
    "JFIF with more than its own": (JPEGLosslessSV1, lambda s: after_start(s, jpeg_segment(0xE0, b"JFIF\0" + TEXT))),
    "colours with more than their own": (
        JPEGLosslessSV1,
        lambda s: after_start(s, jpeg_segment(0xEE, b"Adobe" + TEXT)),
    ),
    "segment of a picture program": (JPEGLosslessSV1, lambda s: after_start(s, jpeg_segment(0xEC))),
    "behind the end of JPEG": (JPEGLosslessSV1, lambda s: s.rstrip(b"\0") + TEXT),
    "comment of JPEG-LS": (JPEGLSLossless, lambda s: after_start(s, jpeg_segment(0xFE))),
    "behind the end of JPEG-LS": (JPEGLSLossless, lambda s: s.rstrip(b"\0") + TEXT),
    "comment of JPEG 2000": (JPEG2000Lossless, j2k_comment),
    "comment of a tile of JPEG 2000": (JPEG2000Lossless, j2k_comment_in_tile),
    "behind the end of JPEG 2000": (JPEG2000Lossless, lambda s: s.rstrip(b"\0") + TEXT),
    "unused offsets of run-length coding": (RLELossless, rle_offsets),
    "behind a segment of run-length coding": (RLELossless, lambda s: s + TEXT),
}


def compressed(folder: Path, syntax: str, alter: Callable[[bytes], bytes], **attributes: object) -> Path:
    [path] = write_ct(folder, 1, PatientName=f"{NAME}^{SHORT}", **attributes)
    transcode(path, syntax)
    dataset = dcmread(path)
    [stream] = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([alter(stream)])
    dataset.save_as(path)
    return path


def copy_of(path: Path, output: Path, **options: bool) -> tuple[FileDataset, Summary]:
    summary = deidentify(path, output, SECRET, Options(**options))
    [copy] = output.rglob("*.dcm")
    return dcmread(copy), summary


@pytest.mark.parametrize("place", PLACES)
def test_text_in_compressed_streams_is_blanked(tmp_path: Path, place: str) -> None:
    path = compressed(tmp_path / "in", *PLACES[place])
    assert SHORT.encode() in path.read_bytes()
    copy, _ = copy_of(path, tmp_path / "out")
    data = Path(copy.filename).read_bytes().lower()
    assert SHORT.lower().encode() not in data and b"19480317" not in data
    expected = np.arange(80).reshape(8, 10) - 500 + 1024
    assert (copy.pixel_array == expected).all()
    assert copy.file_meta.TransferSyntaxUID == PLACES[place][0]


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLSLossless, RLELossless])
def test_streams_without_text_stay_byte_for_byte(tmp_path: Path, syntax: str) -> None:
    path = compressed(tmp_path / "in", syntax, lambda stream: stream)
    copy, _ = copy_of(path, tmp_path / "out")
    assert copy.PixelData == dcmread(path).PixelData


def test_a_comment_that_runs_over_two_fragments(tmp_path: Path) -> None:
    path = compressed(tmp_path / "in", JPEGLosslessSV1, lambda s: after_start(s, jpeg_segment(0xFE)))
    dataset = dcmread(path)
    [stream] = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([stream], fragments_per_frame=8)
    assert len(list(generate_fragments(dataset.PixelData))) == 1 + 8
    dataset.save_as(path)
    copy, _ = copy_of(path, tmp_path / "out")
    assert (copy.pixel_array == dataset.pixel_array).all()
    assert b"19480317" not in Path(copy.filename).read_bytes()


def test_text_in_the_offset_table(tmp_path: Path) -> None:
    path = compressed(tmp_path / "in", JPEGLosslessSV1, lambda stream: stream)
    dataset = dcmread(path)
    _, fragment = generate_fragments(dataset.PixelData)
    table = b"\xfe\xff\x00\xe0\x08\0\0\0\0\0\0\0" + SHORT.encode()
    dataset.PixelData = table + b"\xfe\xff\x00\xe0" + len(fragment).to_bytes(4, "little") + fragment
    dataset.PixelData += b"\xfe\xff\xdd\xe0\0\0\0\0"
    dataset.save_as(path)
    summary = Summary()
    try:
        _, summary = copy_of(path, tmp_path / "out")
    except InputError:  # a table of two offsets in an image of one frame may be refused
        summary.left_out["refused"] = 1
    copies = list((tmp_path / "out").rglob("*.dcm"))
    assert len(copies) + sum(summary.left_out.values()) == 1
    assert all(SHORT.encode() not in copy.read_bytes() for copy in copies)


def test_damaged_or_unknown_streams_are_left_out(tmp_path: Path) -> None:
    path = compressed(tmp_path / "in", JPEGLosslessSV1, lambda stream: stream[: len(stream) // 2])
    with pytest.raises(InputError, match="cannot be searched"):
        deidentify(path, tmp_path / "out", SECRET)
    path = compressed(tmp_path / "in", JPEGLosslessSV1, lambda stream: stream)
    dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"  # a film
    dataset.save_as(path)
    with pytest.raises(InputError, match="cannot be searched"):
        deidentify(path, tmp_path / "out", SECRET)


def test_marks_of_colours_stay() -> None:
    colours = jpeg_segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")
    stream = b"\xff\xd8" + colours + jpeg_segment(0xFE) + b"\xff\xd9"
    cleaned = blanked(stream, JPEGBaseline8Bit, 1)
    assert colours in cleaned and NAME.encode() not in cleaned and len(cleaned) == len(stream)


@pytest.mark.parametrize("signed", [False, True])
def test_an_overlay_inside_the_pixels_goes_with_its_group(tmp_path: Path, signed: bool) -> None:
    """Drawn names stand in unused bits of the pixels; without the overlay's group nobody would look there."""
    [path] = write_ct(tmp_path / "in", 1)
    dataset = dcmread(path)
    values = np.arange(80, dtype="<i2").reshape(8, 10) - (40 if signed else 0)
    drawing = np.zeros((8, 10), bool)
    drawing[2:5, 3:6] = True
    stored = (values.view("<u2") & (0xFFFF if signed else 0x0FFF)) ^ np.where(drawing, 0x1000, 0).astype("<u2")
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, int(signed)
    dataset.PixelData = stored.tobytes()
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60000011, "US", 10)
    dataset.add_new(0x60000100, "US", 16)
    dataset.add_new(0x60000102, "US", 12)
    dataset.save_as(path)
    copy, _ = copy_of(path, tmp_path / "out")
    assert copy.PixelData == values.tobytes()
    assert not [element for element in copy if element.tag.group == 0x6000]


def test_nothing_follows_float_pixels(tmp_path: Path) -> None:
    [path] = write_ct(
        tmp_path / "in", 1, SOPClassUID="1.2.840.10008.5.1.4.1.1.30", Modality="OT", BurnedInAnnotation="NO"
    )
    dataset = dcmread(path)
    del dataset.PixelData
    dataset.FloatPixelData = np.arange(80, dtype="<f4").tobytes() + SHORT.encode()
    dataset.BitsAllocated = 32
    dataset.save_as(path)
    copy, _ = copy_of(path, tmp_path / "out")
    assert copy.FloatPixelData == np.arange(80, dtype="<f4").tobytes()


def test_an_image_inside_an_image_goes(tmp_path: Path) -> None:
    [path] = write_ct(tmp_path / "in", 1)
    dataset = dcmread(path)
    icon = dcmread(path)
    for keyword in ("IconImageSequence", "ReferencedImageSequence"):
        setattr(dataset, keyword, [icon])
    dataset.save_as(path)
    copy, _ = copy_of(path, tmp_path / "out")
    assert len([element for element in copy.iterall() if element.keyword == "PixelData"]) == 1
