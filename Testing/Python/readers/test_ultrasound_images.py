"""Ultrasound images as machines make and store them: colours, compression, sectors, loops, pictures."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import convert_color_space
from pydicom.uid import JPEGBaseline8Bit, RLELossless
from ultrasound_cases import (
    COLOUR_DATA,
    COLUMNS,
    DELTA,
    LENGTH_MM,
    ROWS,
    WIDTH_MM,
    bright,
    codes,
    coloured,
    dataset,
    ellipse,
    findings_of,
    frame,
    read,
    region,
    result_of,
    sector,
    write,
)

from KidneySegLib.errors import InputError
from KidneySegLib.flags import Flag
from KidneySegLib.measuring.ultrasound.field import shown
from KidneySegLib.readers.probe import InputProbe
from KidneySegLib.readers.ultrasound.images import MOST_FRAMES
from KidneySegLib.segmentation.ultrasound.placing import segment_field
from KidneySegLib.structures import Side
from KidneySegLib.tasks.registry import task_for
from KidneySegLib.volume import Volume

BOX = (100, 90, 180, 150)


def ybr_full() -> FileDataset:
    pixels = convert_color_space(coloured(frame()), "RGB", "YBR_FULL")
    return dataset(pixels, [region()], PhotometricInterpretation="YBR_FULL")


def ybr_full_422() -> FileDataset:
    """Two brightnesses share their colour: bytes Y Y B R."""
    pixels = convert_color_space(coloured(frame()), "RGB", "YBR_FULL")
    packed = np.stack([pixels[:, 0::2, 0], pixels[:, 1::2, 0], pixels[:, 0::2, 1], pixels[:, 0::2, 2]], axis=-1)
    made = dataset(pixels, [region()], PhotometricInterpretation="YBR_FULL_422")
    made.PixelData = packed.tobytes()
    return made


def palette() -> FileDataset:
    """Stored values run backwards through a grey table of 16 bits."""
    made = dataset(255 - frame(), [region()], PhotometricInterpretation="PALETTE COLOR")
    table = (np.arange(255, -1, -1, dtype=np.uint16) * 257).tobytes()
    for colour in ("Red", "Green", "Blue"):
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(made, f"{colour}PaletteColorLookupTableData", table)
    return made


def sixteen_bits() -> FileDataset:
    made = dataset(frame(), [region()], BitsAllocated=16, BitsStored=12, HighBit=11)
    made.PixelData = (frame().astype(np.uint16) << 4).tobytes()
    return made


def planes() -> FileDataset:
    made = dataset(coloured(frame()), [region()], PlanarConfiguration=1)
    made.PixelData = np.moveaxis(coloured(frame()), -1, 0).tobytes()
    return made


def jpeg(colour: bool) -> FileDataset:
    pixels = coloured(frame()) if colour else frame()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    kind = "YBR_FULL_422" if colour else "MONOCHROME2"
    made = dataset(pixels, [region()], PhotometricInterpretation=kind, LossyImageCompression="01")
    made.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    made.PixelData = encapsulate([file.getvalue()])
    return made


def run_lengths() -> FileDataset:
    made = dataset(coloured(frame()), [region()])
    made.compress(RLELossless)
    return made


STORED: dict[str, Callable[[], FileDataset]] = {
    "MONOCHROME2": lambda: dataset(frame(), [region()]),
    "MONOCHROME1": lambda: dataset(255 - frame(), [region()], PhotometricInterpretation="MONOCHROME1"),
    "RGB": lambda: dataset(coloured(frame()), [region()]),
    "RGB, plane by plane": planes,
    "YBR_FULL": ybr_full,
    "YBR_FULL_422": ybr_full_422,
    "PALETTE COLOR": palette,
    "12 bits": sixteen_bits,
    "JPEG, grey": lambda: jpeg(colour=False),
    "JPEG, colours": lambda: jpeg(colour=True),
    "run lengths": run_lengths,
}


@pytest.mark.parametrize("name", STORED)
def test_whatever_is_stored_becomes_the_same_grey(tmp_path: Path, name: str) -> None:
    path = tmp_path / "image.dcm"
    STORED[name]().save_as(path, enforce_file_format=True)
    exam = read(path)
    assert exam.stored.voxels.dtype == np.uint8 and exam.stored.voxels.shape == (1, ROWS, COLUMNS)
    apart = np.abs(exam.stored.voxels[0].astype(int) - frame())
    assert np.percentile(apart, 99) <= (8 if "JPEG" in name or "YBR" in name else 1)
    of = findings_of(path).views[0].measures
    assert (of.length_mm, of.width_mm) == pytest.approx((LENGTH_MM, WIDTH_MM), rel=0.03)


def test_a_colour_box_is_told_and_hides_tissue_only_where_it_is(tmp_path: Path) -> None:
    pixels = coloured(frame(), BOX)
    findings = findings_of(write(tmp_path, pixels, [region(), region(BOX, data=COLOUR_DATA)]))
    assert "colours_in_image" in codes(findings) and findings.calibrated
    assert "colours_in_image" not in codes(findings_of(write(tmp_path, coloured(frame()), [region()])))


def test_beside_the_sector_nothing_is_shown(tmp_path: Path) -> None:
    grey = sector(frame())
    inside = shown(read(write(tmp_path, grey, [region()])))
    assert np.mean(inside == (grey > 0)) > 0.999
    assert findings_of(write(tmp_path, grey, [region()])).views[0].cut_at == ()


def test_a_kidney_that_the_sector_cuts_has_no_length(tmp_path: Path) -> None:
    grey = sector(frame(ellipse((140, 250), (30, 60))))
    findings = findings_of(write(tmp_path, grey, [region()]))
    (view,) = findings.views
    assert view.cut_at == ("sector",) and "outline_cut" in codes(findings)
    assert math.isnan(view.measures.length_mm) and 50 < view.measures.length_at_least_mm < LENGTH_MM


@pytest.mark.parametrize("level", [30, 120, 255])
def test_beside_a_sector_on_a_grey_or_white_screen_nothing_is_shown_either(tmp_path: Path, level: int) -> None:
    """Such screens once made a kidney whole that the sector cuts."""
    grey = sector(frame(), degrees=16)
    on_screen = np.where(grey == 0, level, grey).astype(np.uint8)
    on_screen[5:15, 5:60] = 200  # the maker's name
    exam = read(write(tmp_path, on_screen, [region()]))
    assert np.mean(shown(exam) == (grey > 0)) > 0.98
    given: list[np.ndarray] = []

    def outline(field: Volume) -> tuple[np.ndarray, list[Flag]]:
        given.append(field.voxels)
        return bright(field)

    segmentation = segment_field(exam, outline)
    assert segmentation.labels.any() and not segmentation.labels[0][grey == 0].any()
    assert given[0][0, :100, 0].max() == 0  # the network is shown black
    assert np.array_equal(given[0][0][grey > 0], grey[grey > 0])
    assert findings_of(tmp_path / "image.dcm").views[0].cut_at == ("sector",)


def test_even_tissue_in_a_corner_of_a_crop_stays(tmp_path: Path) -> None:
    assert shown(read(write(tmp_path, frame(), [region()]))).all()


def test_a_frame_that_is_cropped_through_the_kidney_cuts_it(tmp_path: Path) -> None:
    (view,) = findings_of(write(tmp_path, frame()[:, :190], [region((0, 0, 190, ROWS))])).views
    assert view.cut_at == ("picture-right",) and math.isnan(view.measures.length_mm)


def test_marks_and_letters_in_the_image_change_nothing(tmp_path: Path) -> None:
    grey = frame()
    grey[5:15, 5:60] = 255  # the maker's name
    grey[118:123, 98:103] = grey[118:123, 218:223] = 255  # calipers at the poles
    of = findings_of(write(tmp_path, grey, [region()])).views[0].measures
    assert of.length_mm == pytest.approx(LENGTH_MM, rel=0.05)


def test_no_kidney_is_an_empty_answer_with_a_flag(tmp_path: Path) -> None:
    findings = findings_of(write(tmp_path, frame(np.zeros((ROWS, COLUMNS), bool)), [region()]))
    assert findings.views == () and {"no_kidney"} == codes(findings)


@pytest.mark.parametrize(("told", "side"), [("R", Side.RIGHT), ("L", Side.LEFT), ("", None), ("B", None)])
def test_the_side_is_the_header_s_or_not_told(tmp_path: Path, told: str, side: Side | None) -> None:
    result = result_of(write(tmp_path, frame(), [region()], Laterality=told))
    (view,) = result.findings.views
    assert view.side is side and view.structure == (f"kidney_{side}" if side else "kidney")
    assert set(np.unique(result.segmentation.labels)) == {0, {Side.RIGHT: 1, Side.LEFT: 2, None: 6}[side]}


def test_sides_that_contradict_each_other_are_none(tmp_path: Path) -> None:
    path = write(tmp_path, frame(), [region()], Laterality="R", ImageLaterality="L")
    assert findings_of(path).views[0].side is None


def test_an_unusual_length_is_told(tmp_path: Path) -> None:
    assert "length_unusual" in codes(findings_of(write(tmp_path, frame(), [region(delta=0.02)])))
    assert "length_unusual" not in codes(findings_of(write(tmp_path, frame(), [region()])))


# --- loops ---------------------------------------------------------------------------------------------------------


def sweep() -> np.ndarray:
    """A probe that sweeps over a kidney: shorter, longest, and blurred where it is longest but one."""
    frames = [frame(ellipse(radii=(24, length)), seed=n) for n, length in enumerate((30, 45, 54, 60, 60, 50, 35))]
    frames[3] = np.clip(frames[3].astype(int) + np.random.default_rng(9).normal(0, 35, (ROWS, COLUMNS)), 0, 255)
    return np.stack([*frames, frame(np.zeros((ROWS, COLUMNS), bool))]).astype(np.uint8)


def test_the_outline_is_followed_through_a_loop_and_its_clearest_frame_is_proposed(tmp_path: Path) -> None:
    findings = findings_of(write(tmp_path, sweep(), [region()]))
    (view,) = findings.views
    assert view.frame == 5 and view.slice == 4
    assert view.measures.length_mm == pytest.approx(LENGTH_MM, rel=0.03)
    assert [outline.frame for outline in view.frames] == [1, 2, 3, 4, 5, 6, 7]
    lengths = [outline.longest_mm for outline in view.frames]
    assert lengths[0] == pytest.approx(48, rel=0.05) and lengths[1] == pytest.approx(72, rel=0.05)
    assert view.measures.voxels == sum(outline.outline_pixels for outline in view.frames)
    flag = next(flag for flag in findings.flags if flag.code == "loop_frame_proposed")
    assert flag.values == {"count": 8, "found": 7, "frame": 5}


def test_one_frame_with_a_wrong_outline_does_not_decide(tmp_path: Path) -> None:
    frames = [frame(ellipse(radii=(24, 50)), seed=n) for n in range(7)]
    frames[2] = frame(ellipse(radii=(24, 100)))
    assert findings_of(write(tmp_path, np.stack(frames), [region()])).views[0].frame != 3


def test_a_frame_is_measured_alone(tmp_path: Path) -> None:
    path = write(tmp_path, sweep(), [region()])
    (view,) = findings_of(path, frame=2).views
    assert (view.frame, view.slice, view.frames) == (2, 0, ())
    assert view.measures.length_mm == pytest.approx(72, rel=0.03)
    assert read(path, frame=2).source.frame_numbers == (2,)


def test_a_long_loop_is_thinned(tmp_path: Path) -> None:
    frames = np.zeros((2 * MOST_FRAMES + 1, 40, 40), np.uint8)
    exam = read(write(tmp_path, frames, [region((0, 0, 40, 40))]))
    assert exam.stored.voxels.shape[0] == 201 and exam.source.frame_numbers[:3] == (1, 4, 7)
    flag = next(flag for flag in exam.flags if flag.code == "frames_thinned")
    assert flag.values == {"count": 601, "step": 3}


def test_frames_of_a_loop_are_grey_values_of_their_own(tmp_path: Path) -> None:
    pixels = coloured(np.stack([frame(seed=n) for n in range(3)]))
    exam = read(write(tmp_path, pixels, [region()]))
    for n, grey in enumerate(exam.stored.voxels):
        np.testing.assert_array_equal(grey, frame(seed=n))


# --- what is no DICOM file of one image ----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_picture_is_measured_in_pixels_or_with_the_size_that_is_given(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"kidney.{ending}"
    Image.fromarray(coloured(frame())).save(path, quality=95)
    of = findings_of(path).views[0].measures
    assert of.length_px == pytest.approx(120, rel=0.03) and math.isnan(of.length_mm)
    assert "not_calibrated" in codes(findings_of(path))
    findings = findings_of(path, pixel_mm=0.8)
    assert findings.views[0].measures.length_mm == pytest.approx(LENGTH_MM, rel=0.03)
    assert codes(findings) & {"not_calibrated", "pixel_size_given"} == {"pixel_size_given"}


def test_a_picture_is_read_as_viewers_show_it(tmp_path: Path) -> None:
    """A photograph that lies on its side is turned by its EXIF data; what is transparent is black."""
    grey = sector(frame())
    turned, turn = Image.fromarray(np.rot90(grey)), Image.Exif()
    turn[0x0112] = 6  # the first row is the right side
    turned.save(tmp_path / "photo.png", exif=turn)
    np.testing.assert_array_equal(read(tmp_path / "photo.png").volume.voxels[0], grey)
    channels = np.dstack([*[np.where(grey > 0, grey, 255)] * 3, np.where(grey > 0, 255, 0)])
    Image.fromarray(channels.astype(np.uint8), "RGBA").save(tmp_path / "clear.png")
    np.testing.assert_array_equal(read(tmp_path / "clear.png").volume.voxels[0], grey)


def test_a_picture_has_no_regions_and_no_frames(tmp_path: Path) -> None:
    Image.fromarray(frame()).save(tmp_path / "kidney.png")
    for options in ({"region": 1}, {"frame": 1}):
        with pytest.raises(InputError, match="neither regions nor frames"):
            read(tmp_path / "kidney.png", **options)


def test_a_folder_with_one_image_is_read_and_one_with_two_is_not_guessed(tmp_path: Path) -> None:
    path = write(tmp_path, frame(), [region(delta=DELTA)])
    assert findings_of(tmp_path).views[0].measures.length_mm == pytest.approx(LENGTH_MM, rel=0.03)
    (tmp_path / "other.dcm").write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="2 DICOM files"):
        read(tmp_path)


def test_the_input_tells_that_it_is_ultrasound(tmp_path: Path) -> None:
    assert task_for(InputProbe(write(tmp_path, frame(), [region()]))).name == "ultrasound"
    assert task_for(InputProbe(write(tmp_path, sweep(), [region()]))).name == "ultrasound"
    Image.fromarray(frame()).save(tmp_path / "kidney.png")
    assert task_for(InputProbe(tmp_path / "kidney.png")).name == "ct-slice"


@pytest.mark.parametrize(("modality", "right"), [("US", True), ("OT", True), ("", True), (None, True), ("IVUS", False)])
def test_where_no_modality_is_named_the_class_tells(tmp_path: Path, modality: str | None, right: bool) -> None:
    path = write(tmp_path, frame(), [region()], Modality=modality)
    assert (task_for(InputProbe(path)).name == "ultrasound") == right
    if right:
        assert findings_of(path).views[0].measures.length_mm == pytest.approx(LENGTH_MM, rel=0.03)
    else:
        with pytest.raises(InputError, match="an ultrasound image"):
            read(path)


def test_a_region_that_cannot_be_decoded_is_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path, frame(), [region()])
    data = path.read_bytes()
    place = data.index(b"\x18\x00\x24\x60US")  # the units along columns: a value of no known kind
    path.write_bytes(data[: place + 5] + b"1" + data[place + 6 :])
    with pytest.raises(InputError, match="damaged"):
        read(path)


@pytest.mark.parametrize("size", [100, 2000, 60_000])
def test_a_file_that_broke_off_is_told(tmp_path: Path, size: int) -> None:
    path = write(tmp_path, frame(), [region()])
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match="damaged|neither DICOM"):
        findings_of(path)
