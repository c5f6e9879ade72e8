"""The B-mode simulator: bright, dark and shadowed is what physics has so; frames and their kidneys agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from KidneySegLib.bundles.bundle import Bundle, write_bundle
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import FrameRules, UltrasoundRules
from KidneySegLib.datasets.frames import frame_exam
from KidneySegLib.errors import InputError
from KidneySegLib.networks.factory import build_network, parameters
from KidneySegLib.training.frame_sources import FrameData, PseudoLabels, SimulatedFrames, further_frames
from KidneySegLib.training.synthesis.ultrasound.composites import Piece, compose_frame
from KidneySegLib.training.synthesis.ultrasound.echoes import echo_levels
from KidneySegLib.training.synthesis.ultrasound.frames import (
    Frame,
    Shape,
    read_frame_shapes,
    simulate_crop,
    simulate_frame,
    surround_frame,
)
from KidneySegLib.training.synthesis.ultrasound.sector import BEAMS, SAMPLES, Sector
from KidneySegLib.training.synthesis.ultrasound.tissue import Tissue

SECTOR = Sector((96, 128), (-10.0, 64.0), 20.0, 100.0, 0.6)
STAGE = StagePlan(
    "ultrasound", NetworkPlan("unet2d", (4, 8), ("kidney",)), (1.0,) * 3, (0.0, 255.0), (1, 64, 64), whole=True
)


def ellipse(shape: tuple[int, int], middle: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    rows, columns = np.indices(shape)
    return ((rows - middle[0]) / radii[0]) ** 2 + ((columns - middle[1]) / radii[1]) ** 2 < 1


def even_tissue() -> Tissue:
    even = np.zeros((SAMPLES, BEAMS), np.float32)
    return Tissue(even.copy(), even + 1, even.copy(), even.copy())


def test_way_to_beams_and_back_keeps_places() -> None:
    frame = ellipse(SECTOR.shape, (50, 64), (12, 16)).astype(np.float32)
    back, inside = SECTOR.to_frame(SECTOR.to_beams(frame, order=1))
    assert np.abs(back - frame)[inside].mean() < 0.01
    assert not inside[0, 0]
    assert inside[50, 64]


def test_urine_is_black_and_a_shadow_lies_behind_what_attenuates() -> None:
    tissue = even_tissue()
    tissue.level[100:160, 40:70] = -45
    tissue.attenuation[120, 110:130] = 25
    grey = np.mean([echo_levels(tissue, SECTOR, np.random.default_rng(n)) for n in range(3)], axis=0)
    assert grey[120:140, 50:60].mean() < 0.6 * grey[120:140, 80:100].mean()
    assert grey[180:220, 115:125].mean() < 0.7 * grey[180:220, 80:100].mean()
    assert grey[60:100, 115:125].mean() > 0.7 * grey[60:100, 80:100].mean()


def test_speckle_is_that_of_an_envelope() -> None:
    """The envelope of many scatterers follows Rayleigh's law: the mean is 1.91 standard deviations."""
    rng = np.random.default_rng(0)
    levels = echo_levels(even_tissue(), SECTOR, rng)
    assert 0.02 < levels[50:250].std() / levels[50:250].mean() < 0.9
    near = np.corrcoef(levels[150:170].ravel(), np.roll(levels[150:170], 1, axis=1).ravel())[0, 1]
    far = np.corrcoef(levels[150:170].ravel(), np.roll(levels[150:170], 25, axis=1).ravel())[0, 1]
    assert near > 0.4 > abs(far)


def test_kidney_stays_within_the_sector_and_is_repeatable() -> None:
    capsule = ellipse((96, 128), (50, 64), (18, 26))
    shape = Shape(capsule, np.where(ellipse((96, 128), (50, 64), (7, 11)), 1, 0).astype(np.uint8))
    frames = [simulate_frame(shape, np.random.default_rng(4)) for _ in range(2)]
    np.testing.assert_array_equal(frames[0].grey, frames[1].grey)
    assert frames[0].grey.shape == (96, 128)
    assert 300 < frames[0].kidney.sum() < 6000
    assert (frames[0].grey[frames[0].kidney] > 0).mean() > 0.5
    crop = simulate_crop(shape, np.random.default_rng(5))
    assert crop.grey.shape == (224, 224)
    assert crop.kidney.mean() > 0.3
    assert not simulate_frame(None, np.random.default_rng(6)).kidney.any()


def test_real_frame_keeps_its_kidney_within_the_simulated_sector() -> None:
    kidney = ellipse((112, 112), (56, 56), (40, 48))
    real = Frame(np.where(kidney, 60, 180).astype(np.uint8), kidney)
    for seed in range(3):
        frame = surround_frame(real, np.random.default_rng(seed))
        assert frame.grey.shape == frame.kidney.shape
        if frame.kidney.sum() > 200:
            assert frame.grey[frame.kidney].std() < 40


def test_a_real_kidney_comes_where_an_expert_outlined_one_and_none_without() -> None:
    oval = ellipse((112, 96), (56, 48), (44, 30))
    texture = np.random.default_rng(0).normal(0, 12, oval.shape)
    pieces = [Piece(Frame(np.clip(np.where(oval, 60, 170) + texture, 20, 255).astype(np.uint8), oval))]
    sector = simulate_frame(None, np.random.default_rng(1))
    capsule = ellipse(sector.grey.shape, (100, 128), (22, 44))
    shape = Shape(capsule, np.zeros(capsule.shape, np.uint8))
    for seed in range(4):
        made = compose_frame(sector, pieces, shape, np.random.default_rng(seed))
        again = compose_frame(sector, pieces, shape, np.random.default_rng(seed))
        np.testing.assert_array_equal(made.grey, again.grey)
        assert 0.2 < made.kidney.sum() / capsule.sum() < 2
        rows, columns = np.nonzero(made.kidney)
        assert np.ptp(columns) > np.ptp(rows)  # it lies as the shape does, though the piece stands upright
        beside = ndimage.binary_dilation(made.kidney, iterations=6) & ~ndimage.binary_dilation(made.kidney)
        assert made.grey[made.kidney].mean() < made.grey[beside & (made.grey > 0)].mean()
        assert not made.grey[:4].any()  # nothing lies outside the sector
        empty = compose_frame(sector, pieces, None, np.random.default_rng(seed))
        assert not empty.kidney.any()


def test_pool_is_made_once_and_knows_its_weights(tmp_path: Path) -> None:
    for kind, value in (("capsule", 1), ("regions", 2)):
        (tmp_path / "shapes" / kind).mkdir(parents=True)
        mask = ellipse((96, 128), (50, 64), (18, 26)) * np.uint8(value)
        Image.fromarray(mask.astype(np.uint8)).save(tmp_path / "shapes" / kind / "a.png")
    kidney = ellipse((64, 64), (32, 32), (20, 26))
    labelled = [frame_exam("r", "r", np.full((64, 64), 90, np.uint8), kidney, STAGE)]
    counts = dict.fromkeys(("sectors", "empty", "blank", "crops", "surrounded", "composed", "composed_empty"), 1)
    plan = FrameData(simulated=SimulatedFrames(shapes="shapes", weight=0.5, **counts))
    found = further_frames(plan, STAGE, tmp_path, tmp_path / "cache", labelled)
    again = further_frames(plan, STAGE, tmp_path, tmp_path / "cache", labelled)
    assert [exam.weight for exam in found] == [0.5] * 7
    # the second is an empty sector, the fourth a blank picture, the last has other tissue alone
    assert [bool(exam.organ.any()) for exam in found] == [True, False, True, False, True, True, False]
    assert len(list((tmp_path / "cache").iterdir())) == 3
    for first, second in zip(found, again, strict=True):
        np.testing.assert_array_equal(first.hu, second.hu)


def test_missing_shapes_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no 'capsule/NAME.png'"):
        read_frame_shapes(tmp_path)


def sure_of_all(folder: Path, confidence: float) -> None:
    """Writes a bundle that finds kidney everywhere, with this confidence, and believes none below 0.9."""
    network = build_network(STAGE.network)
    with torch.no_grad():
        for value in network.parameters():
            value.zero_()
        list(network.parameters())[-1].fill_(float(np.log(confidence / (1 - confidence))))
    rules = UltrasoundRules(FrameRules(0.01, 0.9, 0.93, 0.3))
    stage, values = STAGE.with_members([parameters(network)])
    bundle = Bundle(folder, "teacher", "1.0.0", "t", "ultrasound", "CC0", (stage,), rules, sha256="")
    write_bundle(bundle, {stage.name: values})


def test_the_recipe_says_how_sure_a_teacher_must_be_not_its_bundle(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    Image.fromarray(np.full((64, 64), 90, np.uint8)).save(tmp_path / "frames" / "a.png")
    sure_of_all(tmp_path / "teacher", 0.8)

    def plan(least: float) -> FrameData:
        return FrameData(
            pseudo=PseudoLabels(frames="frames", model=str(tmp_path / "teacher"), least_confidence=least, weight=0.5)
        )

    (exam,) = further_frames(plan(0.75), STAGE, tmp_path, tmp_path / "cache", [])
    assert exam.organ.all()
    assert exam.weight == 0.5
    with pytest.raises(InputError, match="none of the 1 frames without outlines with a confidence of 0.85"):
        further_frames(plan(0.85), STAGE, tmp_path, tmp_path / "cache", [])
