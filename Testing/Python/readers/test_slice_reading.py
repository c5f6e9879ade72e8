"""One axial slice from DICOM, pictures and image files; and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writing import AXIAL, CORONAL, assert_ramp, write_field
from PIL import Image
from slice_cases import PIXEL_MM, made_slice

from KidneySegLib.errors import InputError
from KidneySegLib.exam import Units
from KidneySegLib.readers.input import read_slice

SHAPE = (60, 40)


def grey(path: Path, mode: str = "L") -> Path:
    values = np.zeros(SHAPE, np.uint8)
    values[1:-1, 1:-1] = np.linspace(0, 255, SHAPE[1] - 2).round()  # a white border is refused
    Image.fromarray(values).convert(mode).save(path)
    return path


def codes(flags: list) -> set[str]:
    return {flag.code for flag in flags}


# --- DICOM ---


def test_a_dicom_slice_has_its_place_and_its_thickness(tmp_path):
    (path,) = write_field(tmp_path, [np.array([-10.0, -20.0, 55.0])], SliceThickness=2.5)
    read = read_slice(path)
    volume = read.stored
    assert volume.voxels.shape == (1, 10, 12)
    assert volume.spacing == pytest.approx((0.75, 1.5, 2.5))
    assert volume.origin == pytest.approx((-10, -20, 55))
    assert_ramp(volume)
    assert (read.kind, read.thickness_known, read.stored.spacing[2], read.units) == ("dicom", True, 2.5, Units.HU)
    assert len(read.source.sop_instance_uids) == 1


def test_an_unknown_thickness_stays_unknown(tmp_path):
    (path,) = write_field(tmp_path, [np.zeros(3)], SliceThickness=None)
    read = read_slice(path)
    assert not read.thickness_known
    assert read.stored.spacing[2] == 1.0


def test_one_file_of_a_series_is_read_alone_but_a_folder_of_many_is_refused(tmp_path):
    paths = write_field(tmp_path, [np.array([0, 0, z]) for z in (0.0, 3.0, 6.0, 9.0)])
    assert read_slice(paths[2]).stored.origin[2] == 6.0
    with pytest.raises(InputError, match=r"There are 4 images.*one slice.*--task ct"):
        read_slice(tmp_path)


def test_a_folder_with_one_image_is_read(tmp_path):
    write_field(tmp_path / "one", [np.zeros(3)])
    assert read_slice(tmp_path / "one").kind == "dicom"


def test_feet_first_and_flipped_slices_keep_their_sides(tmp_path):
    (path,) = write_field(tmp_path, [np.array([30.0, 0.0, 0.0])], orientation=(-1, 0, 0, 0, 1, 0), SliceThickness=1)
    volume = read_slice(path).stored
    assert_ramp(volume)
    assert_ramp(volume.canonical())
    assert volume.canonical().direction[0, 0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"orientation": CORONAL}, "not an axial slice"),
        ({"Modality": "MR"}, "magnetic resonance"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localiser"),
        ({"PixelSpacing": None}, "pixel spacing"),
        ({"ImagePositionPatient": None}, "position"),
    ],
)
def test_dicom_that_is_no_axial_ct_slice_is_refused(tmp_path, attributes, message):
    orientation = attributes.pop("orientation", AXIAL)
    (path,) = write_field(tmp_path, [np.zeros(3)], orientation=orientation, **attributes)
    with pytest.raises(InputError, match=message):
        read_slice(path)


def test_a_real_slice(shared_data):
    path = sorted((shared_data / "dicom" / "c3l00189").rglob("*.dcm"))[10]
    read = read_slice(path)
    assert read.stored.voxels.shape == (1, 512, 512)
    assert read.thickness_known and read.stored.spacing[2] == 5.0
    with pytest.raises(InputError, match="There are 35 images"):
        read_slice(path.parent)


# --- pictures ---


def test_a_picture_takes_its_millimetres_from_the_pixel_size_and_its_hu_from_the_window(tmp_path):
    read = read_slice(grey(tmp_path / "a.png"), pixel_mm=0.7, window=(-100, 300))
    volume = read.stored
    assert volume.voxels.shape == (1, *SHAPE)
    assert volume.spacing[:2] == pytest.approx((0.7, 0.7))
    assert volume.voxels.min() == -100 and volume.voxels.max() == 300
    np.testing.assert_array_equal(volume.direction, np.eye(3))
    assert (read.kind, read.thickness_known, read.settings["window_hu"]) == ("png", False, [-100, 300])
    assert read.units is Units.ESTIMATED_HU
    assert codes(read.flags) == {"grey_values", "sides_assumed", "pixel_size_given"}
    assert "-100 HU" in read.flags[0].message and "as given" in read.flags[0].message


def test_an_unknown_window_is_assumed_and_said(tmp_path):
    read = read_slice(grey(tmp_path / "a.png"), pixel_mm=0.7)
    assert read.settings["window_hu"] == [-160, 240]
    assert "assumed" in read.flags[0].message


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_grey_stored_as_colour_is_grey(tmp_path, mode):
    plain = read_slice(grey(tmp_path / "plain.png"), pixel_mm=1).stored.voxels
    other = read_slice(grey(tmp_path / "other.png", mode), pixel_mm=1).stored.voxels
    np.testing.assert_allclose(other, plain, atol=2 if mode == "P" else 0)


def test_a_jpeg_is_read(tmp_path):
    read = read_slice(grey(tmp_path / "a.JPG", "RGB"), pixel_mm=1)
    assert read.kind == "jpeg"
    assert read.stored.voxels.shape == (1, *SHAPE)


def test_colours_are_refused(tmp_path):
    picture = Image.open(grey(tmp_path / "a.png")).convert("RGB")
    picture.paste((255, 0, 0), (5, 5, 15, 15))
    picture.save(tmp_path / "overlay.png")
    with pytest.raises(InputError, match="has colours"):
        read_slice(tmp_path / "overlay.png", pixel_mm=1)


def test_sixteen_bits_are_refused(tmp_path):
    Image.fromarray(np.arange(2400, dtype=np.uint16).reshape(SHAPE)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="more than 8 bits"):
        read_slice(tmp_path / "a.png", pixel_mm=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "--pixel-mm"),
        ({"pixel_mm": 0.0}, "between 0.1 and 5 mm"),
        ({"pixel_mm": 400.0}, "between 0.1 and 5 mm"),
        ({"pixel_mm": float("nan")}, "between 0.1 and 5 mm"),
        ({"pixel_mm": 1.0, "window": (240, -160)}, "black before white"),
        ({"pixel_mm": 1.0, "window": (0, 20)}, "50 HU apart"),
    ],
)
def test_impossible_options_are_refused(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        read_slice(grey(tmp_path / "a.png"), **options)


def test_damaged_tiny_and_empty_pictures_are_refused(tmp_path):
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    Image.fromarray(np.arange(100, dtype=np.uint8).reshape(10, 10)).save(tmp_path / "tiny.png")
    Image.fromarray(np.full(SHAPE, 7, np.uint8)).save(tmp_path / "empty.png")
    for name, message in (("damaged", "damaged"), ("tiny", "10×10"), ("empty", "same value")):
        with pytest.raises(InputError, match=message):
            read_slice(tmp_path / f"{name}.png", pixel_mm=1)


def test_what_is_no_single_slice_with_black_air_is_refused(tmp_path):
    grey, _, _ = made_slice()
    tiles = np.tile(grey, (1, 2))
    margin = np.pad(grey, ((0, 0), (0, 30)), constant_values=255)
    pictures = {
        "inverted": (255 - grey, "border is white"),
        "margin": (margin, "border is white"),
        "tiles": (tiles, "several images"),
        "mask": ((grey > 100).astype(np.uint8) * 255, "black and white"),
    }
    for name, (values, message) in pictures.items():
        Image.fromarray(values).save(tmp_path / f"{name}.png")
        with pytest.raises(InputError, match=message):
            read_slice(tmp_path / f"{name}.png", pixel_mm=PIXEL_MM)


def test_a_body_that_no_scanner_holds_is_refused_however_wide_its_black_margin(tmp_path):
    grey, _, _ = made_slice()  # a body of 113 pixels
    Image.fromarray(np.pad(grey, 300)).save(tmp_path / "slice.png")
    assert read_slice(tmp_path / "slice.png", pixel_mm=4.9).settings["pixel_mm"] == 4.9
    Image.fromarray(np.kron(grey, np.ones((2, 2), np.uint8))).save(tmp_path / "large.png")
    with pytest.raises(InputError, match=r"would be 1107 mm wide.*wider than 800 mm"):
        read_slice(tmp_path / "large.png", pixel_mm=4.9)


def test_a_nearly_black_picture_is_read(tmp_path):
    Image.fromarray(np.tile(np.arange(8, dtype=np.uint8), (64, 8))).save(tmp_path / "a.png")
    assert read_slice(tmp_path / "a.png", pixel_mm=1).volume.voxels.shape == (1, 64, 64)


# --- image files and others ---


def test_a_nifti_of_one_slice_is_read_and_a_volume_is_refused(tmp_path):
    values = np.random.default_rng(0).integers(-200, 1200, (3, 40, 50)).astype(np.int16)
    for name, voxels in (("one", values[:1]), ("three", values)):
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing((0.8, 0.8, 4.0))
        sitk.WriteImage(image, str(tmp_path / f"{name}.nii.gz"))
    read = read_slice(tmp_path / "one.nii.gz")
    assert (read.kind, read.thickness_known, read.stored.spacing[2]) == ("nii.gz", True, pytest.approx(4.0))
    with pytest.raises(InputError, match="3 axial slices"):
        read_slice(tmp_path / "three.nii.gz")


def test_options_of_pictures_do_not_pass_silently(tmp_path):
    (path,) = write_field(tmp_path, [np.zeros(3)])
    with pytest.raises(InputError, match="leave out --pixel-mm"):
        read_slice(path, pixel_mm=1.0)


def test_neither_slice_nor_picture(tmp_path):
    (tmp_path / "note.txt").write_text("hello")
    with pytest.raises(InputError, match="neither DICOM nor"):
        read_slice(tmp_path / "note.txt")
    with pytest.raises(InputError, match="does not exist"):
        read_slice(tmp_path / "nothing.png")
