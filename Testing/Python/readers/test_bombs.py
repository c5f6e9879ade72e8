"""Small files that would fill the memory: refused in a sentence before memory is taken for what they claim."""

from __future__ import annotations

import re
import resource
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bombs
import numpy as np
import psutil
import pydicom
import pytest
from dicom_writing import write_ct
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless

from KidneySegLib import room_in_memory
from KidneySegLib.deidentification.dataset import Options
from KidneySegLib.deidentification.folder import deidentify
from KidneySegLib.errors import InputError, ResourceError
from KidneySegLib.readers.dicom.images import opening
from KidneySegLib.readers.dicom.images.opening import check_unpacked_size
from KidneySegLib.readers.dicom.pixels.compressed_frames import codestream_size
from KidneySegLib.readers.input import read_input


@contextmanager
def little_memory(size: int = 700 << 20) -> Iterator[None]:
    """No more than this beside what the process has: a bomb that is unpacked raises MemoryError."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


@pytest.mark.parametrize("in_pixels", [True, False])
def test_a_deflated_bomb_is_left_out_and_the_series_is_read(tmp_path: Path, in_pixels: bool) -> None:
    files = write_ct(tmp_path / "ct", 6)
    bomb = bombs.deflated(files[0], tmp_path / "ct" / "bomb.dcm", in_pixels=in_pixels)
    assert 3e6 < bomb.stat().st_size < 4e6
    with little_memory():
        acquisition = read_input(tmp_path / "ct")
        assert "unreadable_files" in {flag.code for flag in acquisition.flags}
        assert acquisition.stored.voxels.shape[0] == 6
        with pytest.raises(InputError, match="becomes far larger"):
            read_input(bomb)
        summary = deidentify(tmp_path / "ct", tmp_path / "out", b"x" * 32, Options())
    assert summary.files == 6 and sum(summary.left_out.values()) == 1


def test_an_honest_deflated_series_is_read(tmp_path: Path) -> None:
    for file in write_ct(tmp_path / "ct", 5):
        dataset = pydicom.dcmread(file)
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        dataset.save_as(file, enforce_file_format=True)
    assert read_input(tmp_path / "ct").stored.voxels.shape == (5, 16, 12)


def test_how_much_a_deflated_file_may_grow() -> None:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    check_unpacked_size(packer.compress(bytes(60 << 20)) + packer.flush())
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    with pytest.raises(InputError, match="becomes far larger"):
        check_unpacked_size(packer.compress(bytes(70 << 20)) + packer.flush())
    noise = np.random.default_rng(0).integers(0, 255, 70 << 20, dtype=np.uint8).tobytes()
    packer = zlib.compressobj(0, wbits=-zlib.MAX_WBITS)
    check_unpacked_size(packer.compress(noise) + packer.flush())


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless])
@pytest.mark.parametrize("size", [(60000, 60000), (12, 60000), (0, 16)])
def test_a_codestream_of_another_size_is_not_decoded(tmp_path: Path, syntax: str, size: tuple[int, int]) -> None:
    files = write_ct(tmp_path / "ct", 5)
    bombs.compressed(files[2], files[2], syntax, bombs.codestream(syntax, *size))
    with little_memory(), pytest.raises(InputError, match="another number of pixels than its header says"):
        read_input(tmp_path / "ct")


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless])
def test_what_a_codestream_says_of_its_size(syntax: str) -> None:
    assert codestream_size(bombs.codestream(syntax, 700, 300)) == (700, 300)
    assert codestream_size(bombs.codestream(syntax, 700, 300, components=200)) is None
    assert codestream_size(bombs.codestream(syntax, 700, 300)[:9]) is None and codestream_size(b"") is None


def test_images_of_a_size_that_no_scanner_makes(tmp_path: Path) -> None:
    for file in write_ct(tmp_path / "ct", 5):
        data = bombs.codestream(JPEG2000Lossless, 60000, 60000)
        bombs.compressed(file, file, JPEG2000Lossless, data, Rows=60000, Columns=60000)
    with little_memory(), pytest.raises(InputError, match="claims 60000 × 60000 pixels"):
        read_input(tmp_path / "ct")


def test_a_volume_that_does_not_fit_is_told_before_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_ct(tmp_path / "ct", 5)
    monkeypatch.setattr(room_in_memory, "available_memory", lambda: 5 * 16 * 12 * 2 - 1)
    with pytest.raises(ResourceError, match="memory are free"):
        read_input(tmp_path / "ct")
    bombs.nifti(tmp_path / "small.nii.gz", (12, 16, 5), 5 * 16 * 12 * 2)
    with pytest.raises(ResourceError, match="memory are free"):
        read_input(tmp_path / "small.nii.gz")


@pytest.mark.parametrize("dimensions", [(12, 16, 5), (32000, 32000, 32000)])
def test_packed_image_files_that_hold_more_or_less_than_they_claim(
    tmp_path: Path, dimensions: tuple[int, int, int]
) -> None:
    bomb = bombs.nifti(tmp_path / "bomb.nii.gz", dimensions, 400 << 20)
    with little_memory(), pytest.raises(InputError):
        read_input(bomb)


def test_there_is_one_door_to_dicom_files() -> None:
    """Whoever reads a file by pydicom or highdicom itself would unpack whatever it holds."""
    library = Path(opening.__file__).parents[3]
    users = {
        path.relative_to(library)
        for path in library.rglob("*.py")
        if re.search(r"\b(dcm|seg|sr)read\(", path.read_text("utf-8"))
    }
    assert users == {Path("readers/dicom/images/opening.py")}
