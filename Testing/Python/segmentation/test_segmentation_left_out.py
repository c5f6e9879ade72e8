"""What rules leave out is told: regions that may be lesions, further kidneys, regions of a slice."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from bundle_cases import LESION_RULES, made_bundle
from result_cases import Segmented, described, segmented
from test_segmentation_lesions import (
    KIDNEY,
    ORGAN,
    SPACING,
    STAGE,
    AnyOf,
    ByDifference,
    find,
    image,
    outline,
    predictor,
)
from test_segmentation_pipeline import LEFT, RIGHT, STAGES, Bright, body
from test_slice_pipeline import RULES, known, volume_of

from KidneySegLib.findings import InputRecord, Provenance
from KidneySegLib.flags import Flag
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.languages.language import Language
from KidneySegLib.segmentation import load, pipeline
from KidneySegLib.segmentation.kidneys.organ import find_organ
from KidneySegLib.segmentation.lesions.find import FoundLesions, draw_lesions, find_lesions
from KidneySegLib.segmentation.lesions.left_out import LeftOut, left_out, told
from KidneySegLib.segmentation.slices.pipeline import outline_slice
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

FIELDS = (("es", "riñón derecho"), ("tr", "sağ böbrek"))


def of(volume: Volume, found: FoundLesions) -> list[LeftOut]:
    labels = np.zeros(volume.voxels.shape, np.uint8)
    draw_lesions([found], [Side.RIGHT], labels)
    return left_out(volume, found, Side.RIGHT, labels)


def test_an_uncertain_lesion_is_told():
    volume = image(KIDNEY, ((35, 24, 25), 6, 300))
    uncertain = find(volume, doubt=8.9)
    assert not uncertain.labels.any()
    (region,) = of(volume, uncertain)
    assert region.length_mm == pytest.approx(2 * 6 * SPACING, abs=2 * SPACING)
    assert region.confidence == pytest.approx(0.52, abs=0.02)
    assert np.allclose(region.centre, np.array([25, 24, 35]) * SPACING, atol=1)
    believed = find(volume, doubt=8.0)
    assert believed.labels.any() and of(volume, believed) == []


def test_what_lies_away_from_the_kidney_is_told():
    """6 mm lie between them: the outline ends before, and the organ network takes that for a part of the kidney."""
    volume = image(((35, 35, 30), 8, 200), ((35, 35, 46), 4, 300))
    kidney = outline(volume)
    volume.voxels[33:38, 33:38, 37:44] = 200
    organ = find_organ(volume, kidney, predictor(ORGAN, AnyOf()), lambda done: None)
    found = find_lesions(volume, kidney, organ, predictor(STAGE, ByDifference()), LESION_RULES, lambda done: None)
    assert not found.labels.any()
    (region,) = of(volume, found)
    assert region.length_mm == pytest.approx(8 * SPACING, abs=2 * SPACING)


def test_a_rim_is_told_from_the_thickness_on_that_the_network_can_see():
    thin = image(((35, 35, 30), 17.5, 300), KIDNEY)  # 2 mm all around
    thick = image(((35, 35, 30), 20, 300), KIDNEY)  # 6 mm
    assert not find(thin).labels.any() and of(thin, find(thin)) == []
    assert not find(thick).labels.any() and len(of(thick, find(thick))) == 1


def made(*boxes: tuple[tuple[slice, slice, slice], int]) -> tuple[Volume, FoundLesions]:
    """1 mm voxels; boxes of a probability in per cent, of which nothing is labelled."""
    volume = Volume(np.zeros((40, 40, 40), np.int16), np.diag([1.0, 1.0, 1.0, 1.0]))
    percent = np.zeros(volume.voxels.shape, np.uint8)
    for box, value in boxes:
        percent[box] = value
    whole = (slice(0, 40), slice(0, 40), slice(0, 40))
    return volume, FoundLesions(whole, np.zeros_like(percent), percent, ())


def cube(start: int, size: int) -> tuple[slice, slice, slice]:
    return (slice(start, start + size),) * 3


@pytest.mark.parametrize(
    ("box", "percent", "is_told"),
    [
        (cube(10, 6), 50, True),
        (cube(10, 6), 49, False),
        (cube(10, 2), 99, False),
        ((slice(10, 14), slice(10, 14), slice(10, 20)), 99, False),  # thinner than it seems on this grid
        ((slice(10, 15), slice(10, 15), slice(10, 15)), 99, True),
        ((slice(10, 30), slice(10, 30), slice(10, 12)), 99, False),  # a layer
    ],
)
def test_only_what_a_reader_cares_for_is_told(box, percent, is_told):
    volume, found = made((box, percent))
    assert bool(of(volume, found)) == is_told


def test_a_lesion_that_the_limit_of_size_leaves_out_is_told_from_a_length_of_5_mm_on():
    volume = Volume(np.zeros((30, 30, 30), np.int16), np.diag([0.5, 0.5, 0.5, 1.0]))
    grid = [(axis - 15) * 0.5 for axis in np.indices(volume.voxels.shape)]
    for across, along, is_told in ((2.35, 2.7, True), (2.0, 2.2, False)):
        lesion = (grid[0] / across) ** 2 + (grid[1] / across) ** 2 + (grid[2] / along) ** 2 <= 1
        assert np.count_nonzero(lesion) < LESION_RULES.smallest_voxels(volume.spacing)
        percent = np.where(lesion, 90, 0).astype(np.uint8)
        found = FoundLesions((slice(0, 30),) * 3, np.zeros_like(percent), percent, ())
        assert bool(of(volume, found)) == is_told


def test_the_border_of_a_lesion_of_the_result_is_not_told_but_what_lies_beyond_is():
    volume, found = made(((slice(10, 14), slice(10, 30), slice(10, 30)), 90))
    labels = np.zeros(volume.voxels.shape, np.uint8)
    labels[14:30, 10:30, 10:30] = 4
    assert left_out(volume, found, Side.RIGHT, labels) == []
    volume, found = made(((slice(2, 14), slice(10, 30), slice(10, 30)), 90))
    assert len(left_out(volume, found, Side.RIGHT, labels)) == 1


def test_what_the_result_holds_otherwise_is_not_told():
    volume, found = made((cube(10, 6), 90))
    labels = np.zeros(volume.voxels.shape, np.uint8)
    for label in (2, 3, 4):  # the other kidney, or a lesion of it
        labels[cube(10, 6)] = label
        assert left_out(volume, found, Side.RIGHT, labels) == []


@pytest.mark.parametrize(("code", "where"), FIELDS)
def test_all_regions_make_one_flag_that_names_the_largest(code, where):
    volume, found = made((cube(5, 6), 90), (cube(20, 9), 62))
    (flag,) = told(of(volume, found))
    assert flag.code == "lesions_left_out"
    assert flag.message == (
        "2 regions that may be masses or cysts were not counted (the largest: right kidney, slice position 24 mm, "
        "14 mm long, confidence 62%). Please look."
    )
    assert told([]) == []
    (one,) = told(of(*made((cube(5, 6), 90))))
    assert one.message.startswith("1 region that may be a mass or cyst was not counted (right kidney, slice position 8")
    for each in (flag, one):
        translated = each.said(Language.of(code))
        assert where in translated and "kidney" not in translated


def run(tmp_path, monkeypatch, volume: Volume, doubt: float | None = None) -> Segmented:
    def networks(*_):
        known = {s.name: Predictor(s, (Bright(),), torch.device("cpu"), torch.float32) for s in STAGES}
        if doubt is not None:
            levels = (200, 60, 300)
            known["organ"] = predictor(ORGAN, AnyOf(levels))
            known["lesion"] = predictor(STAGE, ByDifference(doubt, levels=levels))
        return known

    monkeypatch.setattr(load, "load_predictors", networks)
    stages = STAGES if doubt is None else (*STAGES, ORGAN, STAGE)
    return segmented(volume, made_bundle(tmp_path, *stages))


def test_lesions_that_are_not_counted_are_told_by_the_run(tmp_path, monkeypatch):
    volume = body(RIGHT, LEFT)
    k, j, i = np.meshgrid(*map(np.arange, volume.voxels.shape), indexing="ij")
    points = volume.to_lps(np.stack((k, j, i), -1))
    cyst = np.linalg.norm(points - (-85.0, 20.0, 585.0), axis=-1) < 12
    volume = volume.like(np.where(cyst, 300, volume.voxels).astype(np.int16))
    sure = run(tmp_path, monkeypatch, volume, doubt=-9.0)
    assert (sure.labels == 4).any() and "lesions_left_out" not in {flag.code for flag in sure.flags}
    doubtful = run(tmp_path, monkeypatch, volume, doubt=8.95)
    assert not (doubtful.labels == 4).any()
    (flag,) = (flag for flag in doubtful.flags if flag.code == "lesions_left_out")
    assert "right kidney, slice position 58" in flag.message


@pytest.mark.parametrize(("half_axis", "millilitres"), [(15.0, 14.1), (20.0, 33.5)])
def test_a_further_kidney_is_told_however_small(tmp_path, monkeypatch, half_axis, millilitres):
    """A shrunken kidney, or a transplant; below 50 ml it was left out without a word."""
    further = ((-60.0, -60.0, 530.0), (half_axis,) * 3)
    whole = ((-65.0, 20.0, 620.0), (25.0, 25.0, 40.0))
    result = run(tmp_path, monkeypatch, body(whole, LEFT, further))
    (flag,) = (flag for flag in result.flags if flag.code == "further_kidney")
    told_ml = re.search(r"about (\d+) ml lies on the right side", flag.message)
    assert told_ml and int(told_ml[1]) == pytest.approx(millilitres, rel=0.2)  # on the locator's grid of 4 mm
    assert not [f for f in run(tmp_path, monkeypatch, body(whole, LEFT)).flags if f.code == "further_kidney"]


def test_a_piece_that_becomes_the_kidney_is_not_called_left_out(tmp_path, monkeypatch):
    """The larger piece can be no kidney, the next one is taken: it is part of the result."""
    volume = body(((-65.0, 20.0, 630.0), (25.0, 25.0, 45.0)), ((-65.0, 20.0, 525.0), (20.0, 20.0, 22.0)), LEFT)
    plain = run(tmp_path, monkeypatch, volume)
    assert [flag.code for flag in plain.flags if flag.code == "further_kidney"] == ["further_kidney"]
    reason = "air"
    monkeypatch.setattr(
        "KidneySegLib.segmentation.kidneys.outlines.reason_against",
        lambda outline, canonical, rules: reason if outline.volume_ml > 100 and outline.side is Side.RIGHT else None,
    )
    result = run(tmp_path, monkeypatch, volume)
    assert (result.labels == 1).any()
    assert "further_kidney" not in {flag.code for flag in result.flags}


def test_regions_of_a_slice_that_are_left_out_are_told():
    """An infant's pole of 50 mm² vanished without a word; so did a third region."""
    probability = np.zeros((128, 128), np.float32)
    pixels = float(np.prod(volume_of(np.zeros((128, 128))).spacing[:2]))
    side = int(np.sqrt(50 / pixels))
    probability[30 : 30 + side, 30 : 30 + side] = 0.9
    empty = volume_of(np.full((128, 128), 80.0))
    outline = outline_slice(empty, known(probability), RULES)
    assert not outline.labels.any()
    (flag,) = (flag for flag in outline.flags if flag.code == "regions_left_out")
    area = round(side**2 * pixels)
    assert flag.message.startswith(f"1 region of {area} mm² that may be kidney was left out.")
    for column in (60, 80, 100):
        probability[60:75, column : column + 15] = 0.9
    (flag,) = (f for f in outline_slice(empty, known(probability), RULES).flags if f.code == "regions_left_out")
    largest = round(225 * pixels)
    assert flag.message.startswith(f"2 regions that may be kidney were left out, the largest of {largest} mm²")
    probability[:] = 0
    probability[30:32, 30:32] = 0.9  # a speck
    assert not outline_slice(empty, known(probability), RULES).flags


def test_a_lesion_in_a_kidney_that_is_doubtful_is_doubtful_too(tmp_path, monkeypatch):
    """A piece of liver was called a doubtful kidney, and the mass in it a mass like any other."""
    volume = body(RIGHT, LEFT)
    k, j, i = np.meshgrid(*map(np.arange, volume.voxels.shape), indexing="ij")
    points = volume.to_lps(np.stack((k, j, i), -1))
    cyst = np.linalg.norm(points - (-85.0, 20.0, 585.0), axis=-1) < 12
    volume = volume.like(np.where(cyst, 300, volume.voxels).astype(np.int16))
    sure = run(tmp_path, monkeypatch, volume, doubt=-9.0)
    assert sure.segmentation.doubtful == frozenset()
    monkeypatch.setattr(
        pipeline,
        "doubts",
        lambda outline, rules, hardly_located: (
            [Flag.of("kidney_doubtful", side="right")] if outline.side is Side.RIGHT else []
        ),
    )
    result = run(tmp_path, monkeypatch, volume, doubt=-9.0)
    assert result.segmentation.doubtful == {Side.RIGHT} and (result.labels == sure.labels).all()
    record = Provenance("2026-01-01T00:00:00+00:00", "cpu", "float32", InputRecord.of(volume, "nifti"))
    for doubtful, codes in ((result.segmentation.doubtful, ["lesion_in_doubtful_kidney"]), ((), [])):
        found = described(volume, result.labels, provenance=record, doubtful=doubtful)
        about = [flag for flag in found.flags if flag.code == "lesion_in_doubtful_kidney"]
        assert [flag.code for flag in about] == codes
        for flag in about:
            assert flag.message.startswith("Cyst C1 (right kidney")
