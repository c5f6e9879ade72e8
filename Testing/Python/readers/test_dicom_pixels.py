"""Stored values become Hounsfield units: rescale, padding, signs, compression, damage."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_writing import AXIAL, assert_ramp, codes, even_positions, write_field, write_series
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Severity
from KidneySegLib.readers.dicom.ct import read_ct
from KidneySegLib.readers.dicom.finding.scan import is_dicom_file
from KidneySegLib.readers.dicom.pixels.hounsfield import check_values, guess_offset

POSITIONS = even_positions((-31.5, 12.25, 140.0), AXIAL, 1.0, 4)
COMPRESSED = {
    "JPEG lossless": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
    "RLE": "1.2.840.10008.1.2.5",
}


def body() -> list[np.ndarray]:
    """Air with a block of soft tissue and a little bone, in HU."""
    image = np.full((20, 20), -1000)
    image[4:16, 4:16] = 40
    image[6:8, 6:8] = 1200
    return [image + n for n in range(4)]


@pytest.mark.parametrize("syntax", COMPRESSED.values(), ids=list(COMPRESSED))
@pytest.mark.parametrize("signed", [True, False])
def test_compressed(tmp_path: Path, syntax: str, signed: bool) -> None:
    pytest.importorskip("gdcm")
    files = write_series(tmp_path, body(), POSITIONS, transfer_syntax=syntax, signed=signed)
    assert dcmread(files[0], stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(read_ct(tmp_path).stored.voxels, body())


def test_missing_decoder_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pydicom.pixels.decoders.base import Decoder

    write_field(tmp_path, POSITIONS, transfer_syntax=COMPRESSED["JPEG 2000"])
    monkeypatch.setattr(Decoder, "is_available", property(lambda self: False))
    with pytest.raises(InputError, match="JPEG 2000.*Install python-gdcm"):
        read_ct(tmp_path)


def test_film_is_not_a_volume(tmp_path: Path) -> None:
    files = write_field(tmp_path, POSITIONS)
    for file in files:
        dataset = dcmread(file)
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"  # MPEG-2
        dataset["PixelData"].is_undefined_length = True
        dataset.PixelData = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x02\x00\x00\x00ab"
        dataset.save_as(file)
    with pytest.raises(InputError, match="cannot be read .*MPEG2"):
        read_ct(tmp_path)


@pytest.mark.parametrize(("signed", "intercept"), [(True, 0), (True, -1024), (False, -1024), (False, -8192)])
def test_signs_and_intercepts(tmp_path: Path, signed: bool, intercept: int) -> None:
    write_series(tmp_path, body(), POSITIONS, signed=signed, intercept=intercept)
    np.testing.assert_array_equal(read_ct(tmp_path).stored.voxels, body())


def test_slope_that_is_not_one(tmp_path: Path) -> None:
    write_series(tmp_path, body(), POSITIONS, slope=0.25, intercept=-1200.5)
    np.testing.assert_allclose(read_ct(tmp_path).stored.voxels, body(), atol=1)


def test_rescale_differs_from_slice_to_slice(tmp_path: Path) -> None:
    images = body()
    for n in range(4):
        write_series(
            tmp_path,
            [images[n]],
            [POSITIONS[n]],
            names=[f"{n}"],
            slope=1 + n,
            intercept=-1024 - 8 * n,
            SeriesInstanceUID="1.2.3",
            FrameOfReferenceUID="1.2.4",
        )
    for n, image in enumerate(read_ct(tmp_path).stored.voxels):
        np.testing.assert_allclose(image, images[n], atol=(1 + n) / 2)


def test_twelve_bits_with_overlay_in_the_upper_ones(tmp_path: Path) -> None:
    """Old scanners kept graphics in the bits above the value; they are no density."""
    write_series(tmp_path, body(), POSITIONS, signed=False, BitsStored=12, HighBit=11)
    for file in tmp_path.iterdir():
        dataset = dcmread(file)
        stored = np.frombuffer(dataset.PixelData, "<u2") | 0x5000
        dataset.PixelData = stored.tobytes()
        dataset.save_as(file)
    np.testing.assert_array_equal(read_ct(tmp_path).stored.voxels, body())


def test_twelve_bits_signed(tmp_path: Path) -> None:
    """The sign of 12 stored bits is in the twelfth, whatever the bits above hold."""
    write_series(tmp_path, body(), POSITIONS, signed=True, intercept=0, BitsStored=12, HighBit=11)
    for file in tmp_path.iterdir():
        dataset = dcmread(file)
        dataset.PixelData = (np.frombuffer(dataset.PixelData, "<u2") & 0x0FFF).tobytes()
        dataset.save_as(file)
    np.testing.assert_array_equal(read_ct(tmp_path).stored.voxels, body())


@pytest.mark.parametrize("padding", [-2000, -3024])
@pytest.mark.parametrize("named", [True, False])
def test_padding_becomes_air(tmp_path: Path, padding: int, named: bool) -> None:
    images = body()
    for image in images:
        image[:3, :3] = padding
    write_series(tmp_path, images, POSITIONS, intercept=0, PixelPaddingValue=padding if named else None)
    expected = np.maximum(images, -1024)
    np.testing.assert_array_equal(read_ct(tmp_path).stored.voxels, expected)


@pytest.mark.parametrize("named", [True, False])
def test_padding_stored_without_its_sign(tmp_path: Path, named: bool) -> None:
    """-2000 written as 63536 into unsigned pixels is air, not 62512 HU."""
    images = body()
    for image in images:
        image[:3, :3] = 63536 - 1024
    write_series(tmp_path, images, POSITIONS, signed=False, PixelPaddingValue=63536 if named else None)
    voxels = read_ct(tmp_path).stored.voxels
    assert (voxels[:, :3, :3] == -1024).all() and voxels.max() == 1203


def test_padding_range(tmp_path: Path) -> None:
    images = body()
    for image in images:
        image[:3, :3], image[3, :3] = 4000, 4005
    write_series(tmp_path, images, POSITIONS, intercept=0, PixelPaddingValue=4010, PixelPaddingRangeLimit=3999)
    voxels = read_ct(tmp_path).stored.voxels
    assert (voxels[:, :4, :3] == -1024).all() and voxels.max() == 1203


def test_padding_value_that_tissue_has_is_not_believed(tmp_path: Path) -> None:
    write_series(tmp_path, body(), POSITIONS, intercept=0, PixelPaddingValue=40)
    np.testing.assert_array_equal(read_ct(tmp_path).stored.voxels, body())


@pytest.mark.parametrize("intercept", [0, -1024])
def test_missing_rescale_is_inferred_from_air(tmp_path: Path, intercept: int) -> None:
    write_series(tmp_path, body(), POSITIONS, intercept=intercept, RescaleSlope=None, RescaleIntercept=None)
    acquisition = read_ct(tmp_path)
    np.testing.assert_array_equal(acquisition.stored.voxels, body())
    assert codes(acquisition) == ["rescale_assumed"]
    assert f"intercept of {intercept} was assumed" in acquisition.flags[0].message


def test_missing_rescale_that_cannot_be_inferred(tmp_path: Path) -> None:
    images = [np.random.default_rng(n).integers(3000, 4000, (20, 20)) for n in range(4)]
    write_series(tmp_path, images, POSITIONS, intercept=0, RescaleSlope=None, RescaleIntercept=None)
    with pytest.raises(InputError, match="no rescale values"):
        read_ct(tmp_path)


@pytest.mark.parametrize("slope", [lambda n: 0 if n == 2 else 1, lambda n: None if n == 1 else 1])
def test_rescale_missing_in_some_images(tmp_path: Path, slope: Any) -> None:
    write_series(tmp_path, body(), POSITIONS, RescaleSlope=slope)
    with pytest.raises(InputError, match="Some images have no valid rescale"):
        read_ct(tmp_path)


def test_monochrome1(tmp_path: Path) -> None:
    write_series(tmp_path / "as stored", body(), POSITIONS, PhotometricInterpretation="MONOCHROME1")
    acquisition = read_ct(tmp_path / "as stored")
    np.testing.assert_array_equal(acquisition.stored.voxels, body())
    assert codes(acquisition) == ["inverted_display"]
    inverted = [2047 - image for image in body()]
    write_series(tmp_path / "inverted", inverted, POSITIONS, PhotometricInterpretation="MONOCHROME1")
    with pytest.raises(InputError, match="inverted"):
        read_ct(tmp_path / "inverted")


def test_lossy_compression_is_mentioned(tmp_path: Path) -> None:
    write_series(tmp_path, body(), POSITIONS, LossyImageCompression="01")
    assert codes(read_ct(tmp_path)) == ["lossy_compression"]


def test_truncated_pixels(tmp_path: Path) -> None:
    files = write_field(tmp_path, POSITIONS)
    files[2].write_bytes(files[2].read_bytes()[:-50])
    with pytest.raises(InputError, match="Image 3 of the series is damaged or incomplete. Transfer"):
        read_ct(tmp_path)


def test_truncated_header_is_counted(tmp_path: Path) -> None:
    files = write_field(tmp_path, even_positions((-31.5, 12.25, 140.0), AXIAL, 1.0, 8))
    files[3].write_bytes(files[3].read_bytes()[:500])
    acquisition = read_ct(tmp_path)
    assert acquisition.stored.voxels.shape[0] == 8
    assert_ramp(acquisition.stored, tolerance=1.01)
    assert codes(acquisition) == ["unreadable_files", "missing_slices"]
    assert "1 damaged DICOM file in" in acquisition.flags[0].message


def test_header_without_pixels(tmp_path: Path) -> None:
    write_field(tmp_path, POSITIONS, PixelData=None)
    with pytest.raises(InputError, match="damaged or incomplete"):
        read_ct(tmp_path)


@pytest.mark.parametrize("implicit", [True, False])
def test_files_without_preamble(tmp_path: Path, implicit: bool) -> None:
    for file in write_field(tmp_path, POSITIONS):
        dataset = dcmread(file)
        plain = type(dataset)("", dict(dataset.items()))
        del plain.file_meta
        plain.save_as(file, implicit_vr=implicit, little_endian=True)
        assert file.read_bytes()[128:132] != b"DICM" and is_dicom_file(file)
    assert_ramp(read_ct(tmp_path).stored)


def test_implicit_value_types(tmp_path: Path) -> None:
    for file in write_field(tmp_path, POSITIONS):
        dataset = dcmread(file)
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        dataset.save_as(file, implicit_vr=True, little_endian=True)
    assert_ramp(read_ct(tmp_path).stored)


def test_nonsense_in_the_header_is_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Values that break their type count as absent, and nobody's log quotes them."""
    files = write_field(tmp_path, POSITIONS, KVP="120")
    for file in files:
        content = file.read_bytes()
        file.write_bytes(content.replace(b"120 ", b"ab\\c"))
    caplog.clear()
    acquisition = read_ct(tmp_path)
    assert acquisition.source.kvp is None
    assert_ramp(acquisition.stored)
    assert caplog.records == []


def test_is_dicom_file(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not an image " * 50)
    (tmp_path / "short").write_bytes(b"\x08\x00")
    assert is_dicom_file(write_field(tmp_path / "series", POSITIONS)[0])
    assert not is_dicom_file(tmp_path / "text")
    assert not is_dicom_file(tmp_path / "short")
    assert not is_dicom_file(tmp_path / "missing")


def test_pixels_of_each_file_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pydicom

    files = write_field(tmp_path, POSITIONS)
    reads: list[tuple[Path, bool]] = []
    original = pydicom.dcmread

    def counting(path: Path, *args: Any, **keywords: Any) -> Any:
        reads.append((Path(path.name), keywords.get("stop_before_pixels", False)))
        return original(path, *args, **keywords)

    monkeypatch.setattr(pydicom, "dcmread", counting)
    read_ct(tmp_path)
    assert sorted(reads) == sorted([(file, only_header) for file in files for only_header in (True, False)])


def test_progress_rises_to_one_and_can_stop(tmp_path: Path) -> None:
    write_field(tmp_path, POSITIONS)
    seen: list[float] = []
    read_ct(tmp_path, progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == pytest.approx(1.0) and len(seen) == 8

    def stop(share: float) -> None:
        if share > 0.5:
            raise builtins.KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_ct(tmp_path, progress=stop)


def test_guess_offset() -> None:
    generator = np.random.default_rng(0)
    scan = np.concatenate([generator.normal(-1000, 20, 5000), generator.normal(40, 30, 5000)]).round()
    assert guess_offset(scan) == 0
    assert guess_offset(np.maximum(scan + 1024, 0)) == -1024
    assert guess_offset(generator.integers(0, 255, 1000)) is None


def test_check_values() -> None:
    generator = np.random.default_rng(0)
    scan = np.where(generator.random((20, 30, 30)) < 0.5, -1000, 1000).astype(np.int16)
    assert check_values(scan) == []
    clipped = np.clip(generator.normal(0, 200, scan.shape), -160, 240).astype(np.int16)
    assert [flag.code for flag in check_values(clipped)] == ["values_clipped"]
    grey = generator.integers(0, 256, scan.shape)
    assert [(flag.code, flag.severity) for flag in check_values(grey)] == [("not_hounsfield", Severity.ERROR)]
    with pytest.raises(InputError, match="same value"):
        check_values(np.zeros((3, 3, 3)))
    with pytest.raises(InputError, match="label map"):
        check_values(generator.integers(0, 6, scan.shape))
