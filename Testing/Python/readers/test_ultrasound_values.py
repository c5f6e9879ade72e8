"""Ultrasound values that are not what the header says, loops with frames of another kind, pictures that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileDataset
from ultrasound_cases import (
    HERTZ,
    LENGTH_MM,
    SECONDS,
    SPECTRAL,
    SPECTRUM_DATA,
    codes,
    coloured,
    dataset,
    findings_of,
    frame,
    read,
    region,
    write,
)

from KidneySegLib.errors import InputError


def wide(values: np.ndarray, stored: int, **attributes: Any) -> FileDataset:
    """Values in words of 16 bits, of which the header says that ``stored`` are used."""
    made = dataset(frame(), [region()], BitsAllocated=16, BitsStored=stored, HighBit=stored - 1, **attributes)
    made.PixelData = values.astype("<i2").tobytes()
    return made


def palette_of_bytes() -> FileDataset:
    """A table of 16-bit words that hold 8 bits each, as several machines write it."""
    made = dataset(255 - frame(), [region()], PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(made, f"{colour}PaletteColorLookupTableData", np.arange(255, -1, -1, dtype="<u2").tobytes())
    return made


def colours_in_words() -> FileDataset:
    made = dataset(coloured(frame()), [region()], BitsAllocated=16, BitsStored=16, HighBit=15)
    made.PixelData = coloured(frame()).astype("<u2").tobytes()
    return made


GREY = frame().astype(int)
STORED: dict[str, Callable[[], FileDataset]] = {
    "8 bits, 16 named": lambda: wide(GREY, 16),
    "8 bits, 12 named": lambda: wide(GREY, 12),
    "10 bits, 16 named": lambda: wide(GREY * 4, 16),
    "8 bits inverted, 16 named": lambda: wide(255 - GREY, 16, PhotometricInterpretation="MONOCHROME1"),
    "8 bits with a sign, 16 named": lambda: wide(GREY - 128, 16, PixelRepresentation=1),
    "8 bits with a sign": lambda: dataset(
        (GREY - 128).astype(np.int8).view(np.uint8), [region()], PixelRepresentation=1
    ),
    "a palette of 8 bits in words": palette_of_bytes,
    "colours of 8 bits in words": colours_in_words,
}


@pytest.mark.parametrize("name", STORED)
def test_an_image_that_uses_fewer_bits_than_its_header_says_is_not_black(tmp_path: Path, name: str) -> None:
    STORED[name]().save_as(tmp_path / "image.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(read(tmp_path / "image.dcm").stored.voxels[0], frame())


def test_seven_bits_are_as_bright_as_eight(tmp_path: Path) -> None:
    dataset(frame() >> 1, [region()], BitsStored=7, HighBit=6).save_as(tmp_path / "i.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(read(tmp_path / "i.dcm").stored.voxels[0], frame() & 0xFE)


def test_the_frames_of_a_loop_are_scaled_alike(tmp_path: Path) -> None:
    """A dark frame before the others stays dark."""
    frames = np.stack([frame() // 16, frame()])
    made = dataset(frames, [region()], BitsAllocated=16, BitsStored=16, HighBit=15)
    made.PixelData = frames.astype("<u2").tobytes()
    made.save_as(tmp_path / "loop.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(read(tmp_path / "loop.dcm").stored.voxels, frames)


@pytest.mark.parametrize("kind", ["ARGB", "HSV", "CMYK", "YBR_PARTIAL_420"])
def test_colours_of_another_kind_are_not_taken_for_red_green_and_blue(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InputError, match="colour space"):
        read(write(tmp_path, coloured(frame()), [region()], PhotometricInterpretation=kind))


# --- loops ---------------------------------------------------------------------------------------------------------

SPECTRUM = region(delta=(0.01, -2.0), units=(SECONDS, HERTZ), form=SPECTRAL, data=SPECTRUM_DATA)


def loop(folder: Path, *frames: list[Dataset]) -> Path:
    """A loop whose frames have regions of their own."""
    groups = []
    for regions in frames:
        group = Dataset()
        group.SequenceOfUltrasoundRegions = regions
        groups.append(group)
    pixels = np.stack([frame(seed=n) for n in range(len(frames))])
    return write(folder, pixels, PerFrameFunctionalGroupsSequence=groups)


@pytest.mark.parametrize("spectra", [{0}, {3}, {1, 2, 3}])
def test_frames_of_a_loop_that_show_no_tissue_are_left_out(tmp_path: Path, spectra: set[int]) -> None:
    path = loop(tmp_path, *[[SPECTRUM] if n in spectra else [region()] for n in range(4)])
    findings = findings_of(path)
    assert findings.views[0].measures.length_mm == pytest.approx(LENGTH_MM, rel=0.03)
    flag = next(flag for flag in findings.flags if flag.code == "frames_left_out")
    assert flag.values["count"] == len(spectra) and findings.views[0].frame - 1 not in spectra
    with pytest.raises(InputError, match="names Doppler spectrum"):
        findings_of(path, frame=min(spectra) + 1)


def test_frames_without_the_region_that_is_named_are_left_out(tmp_path: Path) -> None:
    half = region((0, 0, 160, 240), 0.05)
    path = loop(tmp_path, [region()], [half, region()], [half, region()])
    findings = findings_of(path, region=2)
    assert "frames_left_out" in codes(findings) and {of.frame for of in findings.views[0].frames} == {2, 3}
    with pytest.raises(InputError, match="Region 3 is not"):
        findings_of(path, region=3)


def test_a_region_that_is_too_small_is_said_to_be_small(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fewer than 32 pixels"):
        read(write(tmp_path, frame(), [region((0, 0, 1, 1))]))


# --- pictures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_of_an_animated_picture_no_frame_is_guessed(tmp_path: Path, kind: str) -> None:
    frames = [Image.fromarray(frame(seed=n)) for n in range(3)]
    frames[0].save(tmp_path / "loop.png", kind, save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="several images one after another"):
        read(tmp_path / "loop.png")


def test_a_photograph_with_a_preview_is_read(tmp_path: Path) -> None:
    Image.fromarray(frame()).save(tmp_path / "p.jpg", "MPO", save_all=True, append_images=[Image.new("L", (64, 48))])
    assert findings_of(tmp_path / "p.jpg", pixel_mm=0.8).views[0].measures.length_mm == pytest.approx(96, rel=0.03)


def test_what_is_no_picture_but_has_its_name_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "missing.png")
    (tmp_path / "kidney.png").mkdir()
    write(tmp_path / "kidney.png", frame(), [region()])
    assert findings_of(tmp_path / "kidney.png").views[0].measures.length_mm == pytest.approx(LENGTH_MM, rel=0.03)
