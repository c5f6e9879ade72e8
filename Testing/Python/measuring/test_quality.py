"""Quality flags and the way from a label map to findings."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from result_cases import described

from KidneySegLib.errors import GeometryError
from KidneySegLib.exam import Exam
from KidneySegLib.findings import InputRecord, KidneyFinding, Provenance
from KidneySegLib.flags import Flag, Severity
from KidneySegLib.geometry.boxes import bounding_boxes, cut_at
from KidneySegLib.measuring.measurements import measure
from KidneySegLib.measuring.quality import check_image, check_kidneys, noise
from KidneySegLib.structures import Side
from KidneySegLib.volume import AxisOrder, Volume

SOME = measure(Volume(np.zeros((2, 2, 2), np.int16), np.eye(4)), np.ones((2, 2, 2), bool))


def kidney(side: Side, volume_ml: float, cut: tuple[str, ...] = ()) -> KidneyFinding:
    return KidneyFinding(side, replace(SOME, volume_ml=volume_ml), volume_ml, 100.0, cut)


def codes(flags: list[Flag]) -> list[str]:
    return [flag.code for flag in flags]


def body(shape: tuple[int, int, int] = (12, 64, 64), sd: float = 8, spacing: float = 3.0) -> Volume:
    """Soft tissue with noise, a block of bone and a block of air."""
    voxels = np.random.default_rng(0).normal(60, sd, shape)
    voxels[:, :8, :8] = 900
    voxels[:, -8:, -8:] = -1000
    return Volume(voxels.round().astype(np.int16), np.diag([1, 1, spacing, 1]))


def provenance(volume: Volume) -> Provenance:
    return Provenance("2026-01-01T00:00:00+00:00", "cpu", "float32", InputRecord.of(volume, "nifti"))


def test_a_good_image_has_no_flags() -> None:
    assert check_image(body()) == []


@pytest.mark.parametrize("sd", [5, 10, 20])
def test_noise_estimate(sd: float) -> None:
    assert noise(body(sd=sd).voxels) == pytest.approx(sd, rel=0.03)


def test_noise_needs_soft_tissue() -> None:
    assert noise(np.full((4, 40, 40), -1000, np.int16)) is None


def test_noisy_image() -> None:
    (flag,) = check_image(body(sd=35))
    assert flag.code == "noise" and "HU in soft tissue" in flag.message


def test_display_window_is_recognised() -> None:
    volume = body()
    (flag,) = check_image(volume.like(np.clip(volume.voxels, -160, 240)))
    assert flag.code == "values_clipped"
    assert "from -160 to 240 HU" in flag.message and "stones cannot be measured" in flag.message
    assert codes(check_image(volume.like(np.minimum(volume.voxels, 399)))) == ["values_clipped"]


@pytest.mark.parametrize(("spacing", "flagged"), [(5.0, False), (5.04, False), (6.0, True), (10.0, True)])
def test_thick_slices(spacing: float, flagged: bool) -> None:
    assert codes(check_image(body(spacing=spacing))) == (["thick_slices"] if flagged else [])


def test_thick_slices_are_found_along_the_body_not_along_k() -> None:
    volume = body(spacing=8.0)
    stored = volume.reordered(AxisOrder((2, 0, 1), (True, False, False)))
    (flag,) = check_image(Exam(stored).volume)
    assert flag.code == "thick_slices" and "8.0 mm" in flag.message


@pytest.mark.parametrize(
    ("index", "end"),
    [
        (np.s_[0, 4, 4], "feet"),
        (np.s_[-1, 4, 4], "head"),
        (np.s_[4, 0, 4], "front"),
        (np.s_[4, -1, 4], "back"),
        (np.s_[4, 4, 0], "right side"),
        (np.s_[4, 4, -1], "left side"),
    ],
)
def test_cut_at_says_the_patients_end_in_every_order_of_storage(index: tuple, end: str) -> None:
    volume = Volume(np.zeros((9, 9, 9), np.int16), np.eye(4))
    labels = np.zeros((9, 9, 9), np.uint8)
    labels[3:6, 3:6, 3:6] = 1
    assert cut_at(bounding_boxes(labels)[1], volume.voxels.shape) == ()
    labels[index] = 1
    for permutation, flipped in itertools.product(
        itertools.permutations(range(3)), itertools.product((False, True), repeat=3)
    ):
        order = AxisOrder(permutation, flipped)  # type: ignore[arg-type]
        exam = Exam(volume.reordered(order))
        assert cut_at(bounding_boxes(exam.order.apply(order.apply(labels)))[1], exam.volume.voxels.shape) == (end,)


def test_number_of_kidneys() -> None:
    assert codes(check_kidneys([])) == ["no_kidney"]
    (flag,) = check_kidneys([kidney(Side.LEFT, 150)])
    assert flag.code == "one_kidney"
    assert flag.message.startswith("Only the left kidney was found. The right one may be absent")
    assert check_kidneys([kidney(Side.RIGHT, 150), kidney(Side.LEFT, 170)]) == []


@pytest.mark.parametrize(("volume_ml", "flagged"), [(59, True), (61, False), (399, False), (401, True)])
def test_unusual_volume(volume_ml: float, flagged: bool) -> None:
    flags = check_kidneys([kidney(Side.RIGHT, volume_ml), kidney(Side.LEFT, volume_ml)])
    assert codes(flags) == (["unusual_volume"] * 2 if flagged else [])


def test_asymmetry() -> None:
    assert codes(check_kidneys([kidney(Side.RIGHT, 100), kidney(Side.LEFT, 159)])) == []
    (flag,) = check_kidneys([kidney(Side.RIGHT, 100), kidney(Side.LEFT, 170)])
    assert flag.code == "asymmetry"
    assert flag.message == "The left kidney is 1.7 times as large as the right one (170 ml; 100 ml)."


def test_a_cut_kidney_is_not_called_small_or_asymmetric() -> None:
    (flag,) = check_kidneys([kidney(Side.RIGHT, 20, ("feet",)), kidney(Side.LEFT, 150)])
    assert flag.code == "kidney_cut" and flag.severity is Severity.WARNING
    assert flag.message.startswith("The right kidney reaches the end of the image towards the feet:")


def two_kidneys() -> tuple[Volume, NDArray]:
    """A body whose patient's right lies at small i, with blocks of 96 and 120 ml as kidneys and a stone."""
    volume = body((60, 100, 160), spacing=1.0)
    labels = np.zeros(volume.voxels.shape, np.uint8)
    labels[10:50, 30:70, 20:80] = 1
    labels[5:55, 30:70, 90:150] = 2
    labels[30, 50, 40] = 5
    return volume, labels


def test_describe() -> None:
    volume, labels = two_kidneys()
    before = Flag.of("missing_slices", count=1, total=60, places_mm=[12])
    found = described(volume, labels, flags=[before], provenance=provenance(volume))
    assert [k.side for k in found.kidneys] == [Side.RIGHT, Side.LEFT]
    right, left = (k.measures for k in found.kidneys)
    assert right.voxels == 40 * 40 * 60 - 1
    assert left.volume_ml == pytest.approx(120)
    assert right.centroid_lps_mm[0] < left.centroid_lps_mm[0]
    assert left.length_mm == pytest.approx(np.sqrt(60**2 + 49**2 + 39**2))
    assert right.hu_mean == pytest.approx(60, abs=0.1)
    assert codes(list(found.flags)) == ["missing_slices", "phase_unknown"]


def test_describe_is_the_same_for_every_order_of_storage() -> None:
    volume, labels = two_kidneys()
    order = AxisOrder((1, 2, 0), (True, False, True))
    one = described(volume, labels, flags=[], provenance=provenance(volume))
    other = described(volume.reordered(order), order.apply(labels), flags=[], provenance=provenance(volume))
    for a, b in zip(one.kidneys, other.kidneys, strict=True):
        assert (a.side, a.cut_at) == (b.side, b.cut_at)
        assert a.measures.centroid_lps_mm == pytest.approx(b.measures.centroid_lps_mm)
        assert a.measures.length_mm == pytest.approx(b.measures.length_mm)


def test_describe_without_kidneys() -> None:
    volume, labels = two_kidneys()
    found = described(volume, np.zeros_like(labels), flags=[], provenance=provenance(volume))
    assert found.kidneys == () and codes(list(found.flags)) == ["no_kidney"]


def test_describe_refuses_another_grid() -> None:
    volume, labels = two_kidneys()
    with pytest.raises(GeometryError, match="does not fit"):
        described(volume, labels[1:], flags=[], provenance=provenance(volume))
