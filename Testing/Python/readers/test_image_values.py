"""Casts and scales of image files: undone where air, fat and soft tissue tell how, else told."""

from __future__ import annotations

import numpy as np
import pytest

from KidneySegLib.errors import InputError
from KidneySegLib.measuring.quality import check_image
from KidneySegLib.readers.image_values import as_hounsfield
from KidneySegLib.volume import Volume


def body(noise: float = 8.0) -> np.ndarray:
    """A trunk in air with fat, soft tissue and bone, ``(k, j, i)``, HU as float."""
    generator = np.random.default_rng(0)
    k, j, i = (axis - (n - 1) / 2 for axis, n in zip(np.indices((8, 120, 160)), (8, 120, 160), strict=True))
    radius = np.hypot(j / 50, i / 70)
    hu = np.select([radius < 0.8, radius < 1.0], [50.0, -100.0], -1000.0)
    hu[np.hypot(j - 25, i) < 8] = 700
    return np.rint(np.maximum(hu + generator.normal(0, noise, hu.shape), -1024))


HU = body()


def codes(values: np.ndarray) -> list[str]:
    return [flag.code for flag in as_hounsfield(values)[1]]


@pytest.mark.parametrize("kind", ["int16", "int32", "float32", "float64"])
def test_hounsfield_units_stay_without_a_word(kind: str) -> None:
    result, flags = as_hounsfield(HU.astype(kind))
    np.testing.assert_array_equal(result, HU)
    assert result.dtype == np.int16 and flags == []


@pytest.mark.parametrize(
    ("kind", "then"), [("uint16", None), ("uint16", "float32"), ("uint16", "int32"), ("uint32", None)]
)
def test_negative_values_that_lost_their_sign_are_restored(kind: str, then: str | None) -> None:
    wrapped = HU.astype(np.int64).astype(kind)
    result, flags = as_hounsfield(wrapped if then is None else wrapped.astype(then))
    np.testing.assert_array_equal(result, HU)
    assert [flag.code for flag in flags] == ["negatives_wrapped"]


def test_padding_of_one_large_number_is_air() -> None:
    padded = HU.astype(np.int32)
    padded[:, :5] = 65535
    result, flags = as_hounsfield(padded)
    assert np.all(result[:, :5] == -1024) and np.array_equal(result[:, 5:], HU[:, 5:]) and flags == []


@pytest.mark.parametrize("padding", [None, -2000, -1])
def test_an_offset_of_1024_is_undone(padding: int | None) -> None:
    moved = (HU + 1024).astype(np.int32)
    expected = HU.copy()
    if padding is not None:
        moved[:, :3], expected[:, :3] = padding, -1024
    result, flags = as_hounsfield(moved)
    np.testing.assert_array_equal(result, np.maximum(expected, -1024))
    assert [flag.code for flag in flags] == ["rescale_assumed"] and "so 1024 was" in flags[0].message


def test_an_offset_of_1000_is_told_from_one_of_1024() -> None:
    result, flags = as_hounsfield(np.maximum(HU + 1000, 0).astype(np.uint16))
    assert "so 1000 was" in flags[0].message
    np.testing.assert_array_equal(result[HU > -200], HU[HU > -200])


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.maximum(HU, 0).astype(np.uint16), "negatives_lost"),
        ((HU / 10).astype(np.int16), "values_scaled"),
        ((HU / 2).astype(np.int16), "values_scaled"),
        ((HU * 10).astype(np.int16), "values_scaled"),
        (np.clip(HU, 0, 255).astype(np.uint8), "not_hounsfield"),
        (np.clip(HU, -160, 240).astype(np.int16), "values_clipped"),
    ],
    ids=["cut at 0", "tenth", "half", "tenfold", "8 bits", "window"],
)
def test_what_cannot_be_undone_is_told(values: np.ndarray, code: str) -> None:
    assert codes(values) == [code]


def test_numbers_that_are_none_are_refused() -> None:
    for value in (np.nan, np.inf):
        values = HU.astype(np.float32)
        values[3, 40, 50] = value
        with pytest.raises(InputError, match="not numbers"):
            as_hounsfield(values)


def test_a_crop_is_told_from_a_window() -> None:
    def flags(hu: np.ndarray) -> list[str]:
        return [flag.code for flag in check_image(Volume(np.rint(hu).astype(np.int16), np.eye(4)))]

    crop = body(15.0)[:, 30:75, 40:120]
    assert crop.min() > -300 and crop.max() < 400
    assert flags(crop) == [] and codes(crop) == []
    assert flags(np.clip(crop, -60, 70)) == ["values_clipped"]
    low_only = check_image(Volume(np.maximum(HU, -150).astype(np.int16), np.eye(4)))
    assert [flag.message for flag in low_only] == [
        "All values below -150 HU were cut off before the image was saved: fat and air look alike."
    ]
