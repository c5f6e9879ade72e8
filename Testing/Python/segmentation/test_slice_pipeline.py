"""The 2D pipeline behind its network: threshold, regions, stones, measures of a slice."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from result_cases import described_slice, result_of
from slice_cases import KIDNEY, PIXEL_MM, ellipse, made_slice

from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import OutlineRules
from KidneySegLib.errors import InputError
from KidneySegLib.exam import Exam
from KidneySegLib.findings import Findings, InputRecord, Provenance
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.segmentation.slices.pipeline import calibrated, mark_stones, outline_slice
from KidneySegLib.structures import Side
from KidneySegLib.volume import Volume

STAGE = StagePlan(
    "slice",
    NetworkPlan("unet2d", (4, 8), ("kidney",)),
    (1.0, PIXEL_MM, PIXEL_MM),
    (-160.0, 240.0),
    (1, 64, 64),
    threshold=0.65,
    whole=True,
)


class Known(torch.nn.Module):
    """Stands for a network that gives a known probability on the slice's own grid."""

    def __init__(self, values: np.ndarray) -> None:
        super().__init__()
        self.logits = torch.logit(torch.from_numpy(np.asarray(values, np.float32)), eps=1e-6)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        assert image.shape[2:] == self.logits.shape
        return self.logits[None, None]


RULES = OutlineRules(sure_confidence=0.9)


def known(values: np.ndarray) -> Predictor:
    return Predictor(STAGE, (Known(values),), torch.device("cpu"), torch.float32)


def volume_of(grey: np.ndarray, thickness: float = 1.0, noise: float = 4.0) -> Volume:
    hu = np.rint(-160 + grey * (400 / 255) + np.random.default_rng(0).normal(0, noise, grey.shape)).astype(np.int16)
    return Volume(hu[None], np.diag([PIXEL_MM, PIXEL_MM, thickness, 1.0]))


def provenance(volume: Volume) -> Provenance:
    return Provenance("2026-01-01T00:00:00+00:00", "cpu", "float32", InputRecord.of(volume, "png"))


def describe(volume: Volume, labels: np.ndarray, thickness: float | None, estimated: bool = True) -> Findings:
    return described_slice(
        volume, labels, thickness_mm=thickness, estimated_hu=estimated, flags=(), provenance=provenance(volume)
    )


def test_only_what_exceeds_the_threshold_is_kidney():
    grey, kidneys, _ = made_slice(stone=False)
    probability = np.where(kidneys == 1, 0.66, np.where(kidneys == 2, 0.64, 0.0)).astype(np.float32)
    outline = outline_slice(volume_of(grey), known(probability), RULES)
    np.testing.assert_array_equal(outline.labels[0] == 1, kidneys == 1)
    assert not (outline.labels == 2).any()
    assert [flag.code for flag in outline.flags] == ["low_confidence"]


def test_labels_lie_on_the_slice_s_own_grid_whatever_its_orientation():
    grey, kidneys, _ = made_slice(stone=False)
    volume = volume_of(grey)
    # rows run to the right, columns to the front, slices to the feet
    turned = Volume(
        np.ascontiguousarray(volume.voxels[::-1, ::-1, ::-1].transpose(0, 2, 1)),
        np.array(
            [[0, -PIXEL_MM, 0, 127 * PIXEL_MM], [-PIXEL_MM, 0, 0, 127 * PIXEL_MM], [0, 0, -1.0, 0], [0, 0, 0, 1.0]]
        ),
    )
    np.testing.assert_array_equal(turned.canonical().voxels, volume.voxels)
    exam = Exam(turned)
    outline = outline_slice(exam.volume, known((kidneys > 0) * np.float32(0.99)), RULES)
    np.testing.assert_array_equal(outline.labels[0], kidneys)
    stored = exam.in_stored_order(outline.labels)
    np.testing.assert_array_equal(turned.like(stored).canonical().voxels[0], kidneys)
    assert outline.probability.shape == outline.labels.shape
    assert outline.flags == []


def test_a_mirrored_slice_in_the_patient_is_a_mirrored_patient():
    grey, kidneys, _ = made_slice(stone=False)
    volume = volume_of(grey)
    # the same array, but its columns run to the patient's right
    mirrored = Volume(volume.voxels, np.diag([-PIXEL_MM, PIXEL_MM, 1.0, 1.0]))
    exam = Exam(mirrored)
    outline = outline_slice(exam.volume, known((kidneys > 0)[:, ::-1] * np.float32(0.99)), RULES)
    stored = exam.in_stored_order(outline.labels)
    assert set(np.unique(stored[0][kidneys == 1])) == {2}
    assert set(np.unique(stored[0][kidneys == 2])) == {1}


def test_several_slices_are_refused():
    grey, kidneys, _ = made_slice()
    volume = Volume(np.repeat(volume_of(grey).voxels, 3, axis=0), np.eye(4))
    with pytest.raises(InputError, match="one axial slice, not 3"):
        outline_slice(volume, known(kidneys), RULES)


def test_calibration_gives_the_kidneys_35_hu():
    grey, kidneys, _ = made_slice(stone=False)
    volume = volume_of(grey, noise=0)
    moved, flags, offset = calibrated(volume, (kidneys[None] > 0).astype(np.uint8))
    assert np.median(moved.voxels[0][kidneys > 0]) == 35
    was = round(-160 + KIDNEY * 400 / 255)
    np.testing.assert_array_equal(moved.voxels - volume.voxels, 35 - was)
    assert [flag.code for flag in flags] == ["scale_from_kidneys"]
    assert offset == 35 - was and str(offset) in flags[0].message
    same, flags, none = calibrated(volume, np.zeros(volume.voxels.shape, np.uint8))
    assert same is volume and flags == [] and none == 0


def test_the_stone_in_the_kidney_is_marked_and_bone_is_not():
    grey, kidneys, stones = made_slice()
    volume = volume_of(grey)
    labels = np.where(kidneys == 5, 1, kidneys)[None].astype(np.uint8)
    marked, _ = mark_stones(volume, labels)
    np.testing.assert_array_equal(marked[0] == 5, stones > 0)
    np.testing.assert_array_equal(marked[0][stones == 0], labels[0][stones == 0])


def test_without_kidneys_no_stones_are_looked_for():
    volume = volume_of(made_slice()[0])
    empty = np.zeros(volume.voxels.shape, np.uint8)
    marked, flags = mark_stones(volume, empty)
    assert not marked.any() and flags == []


def test_lengths_stay_within_the_slice_and_a_volume_without_thickness_is_empty():
    grey = np.full((128, 128), 60, np.uint8)
    labels = np.zeros((1, 128, 128), np.uint8)
    labels[0, 60:80, 20:50] = 1  # 30 x 20 pixels of 2 mm
    volume = volume_of(grey, thickness=40.0)
    findings = describe(volume, labels, None)
    (kidney,) = findings.kidneys
    # between face centres: one full step along i
    assert kidney.measures.length_mm == pytest.approx(2 * math.hypot(30, 19))
    assert kidney.measures.length_mm == kidney.measures.axial_diameter_mm
    assert math.isnan(kidney.measures.volume_ml) and math.isnan(kidney.organ_volume_ml)
    assert kidney.cut_at == ()
    codes = {flag.code for flag in findings.flags}
    assert "single_slice" in codes
    assert not codes & {"kidney_cut", "unusual_volume", "asymmetry", "thick_slices", "values_clipped"}
    assert findings.phase is None


def test_a_known_thickness_gives_the_slab_s_volume():
    labels = np.zeros((1, 128, 128), np.uint8)
    labels[0, 60:80, 20:50] = 2
    findings = describe(volume_of(np.full((128, 128), 60), thickness=2.5), labels, 2.5, estimated=False)
    (kidney,) = findings.kidneys
    assert kidney.side is Side.LEFT
    assert kidney.measures.volume_ml == pytest.approx(600 * 4 * 2.5 / 1000)
    assert any("slab of 2.5 mm" in flag.message for flag in findings.flags)


def test_the_image_s_border_within_the_slice_still_cuts():
    labels = np.zeros((1, 128, 128), np.uint8)
    labels[0, 60:80, 0:30] = 1
    findings = describe(volume_of(np.full((128, 128), 60)), labels, None)
    assert findings.kidneys[0].cut_at == ("right side",)


def test_findings_of_a_slice_survive_their_file_and_all_files_are_written(tmp_path):
    grey, kidneys, _ = made_slice()
    volume = volume_of(grey)
    findings = describe(volume, kidneys[None], None)
    files = result_of(volume, kidneys[None], findings).write(tmp_path)
    assert all(file.is_file() for file in files)
    text = (tmp_path / "findings.json").read_text()
    assert json.loads(text)["kidneys"][0]["volume_ml"] is None
    again = Findings.from_json(text)
    assert math.isnan(again.kidneys[0].measures.volume_ml)
    assert again.to_json() == text
    row = (tmp_path / "measurements.csv").read_text().splitlines()[1].split(",")
    assert row[0] == "kidney_right" and row[6] == ""


def test_a_stone_is_as_long_as_it_is_within_the_slice():
    grey, kidneys, stones = made_slice()
    labels = np.where(kidneys == 5, 1, kidneys)
    labels[stones > 0] = 5
    # a thick slice must not lengthen a small stone
    findings = describe(volume_of(grey, thickness=10.0), labels[None].astype(np.uint8), 10.0)
    (stone,) = findings.stones
    assert stone.length_mm == pytest.approx(2 * math.hypot(5, 2))
    assert stone.side is Side.RIGHT
    assert findings.stone_burden[0].largest_mm == stone.length_mm


def test_the_body_of_a_dim_picture_is_found():
    grey, kidneys, _ = made_slice(stone=False)
    grey[~ellipse((64, 64), (44, 56))] = 0
    outline = outline_slice(volume_of(grey // 2, noise=0), known((kidneys > 0) * np.float32(0.99)), RULES)
    np.testing.assert_array_equal(outline.labels[0], kidneys)
