"""Frames from the folder to the outline: what they show, how they come on a network's grid, and what is believed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.bundles.rules import FrameRules
from KidneySegLib.datasets.frames import constant_mask, load_frames, read_frame_list
from KidneySegLib.errors import InputError
from KidneySegLib.inference.frame_grid import frame_spacing, shown_box
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.segmentation.ultrasound.frame import outline_kidney
from KidneySegLib.training.augmentation.frames import Gain, Haze, SectorBorder, Shadow, Speckle
from KidneySegLib.training.augmentation.overlays import Overlays
from KidneySegLib.training.augmentation.patch import Patch, Transform
from KidneySegLib.training.recipe import find_recipe, read_recipe

STAGE = StagePlan(
    "ultrasound", NetworkPlan("unet2d", (4, 8), ("kidney",)), (1.0,) * 3, (0.0, 255.0), (1, 64, 64), whole=True
)
RULES = FrameRules(0.01, 0.6, 0.9, 0.02)


class BrightIsKidney(torch.nn.Module):
    """Takes values above the middle of the window for kidney."""

    def __init__(self, logit: float = 5.0) -> None:
        super().__init__()
        self.logit = logit

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.where(image[:, :1] > 0, self.logit, -5.0)


def predictor(logit: float = 5.0) -> Predictor:
    return Predictor(STAGE, (BrightIsKidney(logit),), torch.device("cpu"), torch.float32)


def frame(shape: tuple[int, int] = (120, 160)) -> tuple[np.ndarray, np.ndarray]:
    """Returns a grey frame with a bright ellipse, and the ellipse."""
    rows, columns = np.indices(shape)
    kidney = ((rows - 60) / 20) ** 2 + ((columns - 80) / 40) ** 2 < 1
    return np.where(kidney, 200, 60).astype(np.uint8), kidney


def write(folder: Path, entries: list[dict[str, str]], sizes: dict[str, tuple[int, int]] | None = None) -> Path:
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    grey, kidney = frame()
    for entry in entries:
        if "/" in entry["image"]:
            continue
        Image.fromarray(grey).save(folder / "images" / entry["image"])
        mask = kidney[:, :-1] if sizes else kidney
        Image.fromarray((mask * 255).astype(np.uint8)).save(folder / "masks" / entry["image"])
    (folder / "frames.json").write_text(json.dumps(entries))
    return folder


def test_frames_are_read_with_their_patients(tmp_path: Path) -> None:
    entries = [
        {"image": "a.png", "study": "one", "id": "A1"},
        {"image": "b.png", "study": "", "series": "letter b"},
        {"image": "gone.png", "study": "two"},
    ]
    folder = write(tmp_path / "frames", entries)
    (folder / "images" / "gone.png").unlink()
    exams = load_frames(folder, STAGE)
    assert [(exam.name, exam.patient) for exam in exams] == [("a", "one"), ("b", "letter b")]
    exam = exams[0]
    assert exam.spacing[2] * exam.hu.shape[2] == pytest.approx(64)
    assert exam.organ.mean() == pytest.approx(frame()[1].mean(), rel=0.05)
    assert exam.hu[exam.organ > 0].mean() > 180


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "must be a list|none of the images"),
        ('[{"image": "../x.png", "study": "s"}]', "must be a list"),
        ('[{"image": "x.png"}]', "must be a list"),
        ('[{"image": "x.png", "study": "s"}]', "none of the images"),
    ],
)
def test_wrong_lists_are_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "frames.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_frame_list(tmp_path)


def test_masks_of_another_size_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "frames", [{"image": "a.png", "study": "s"}], sizes={"a.png": (1, 1)})
    with pytest.raises(InputError, match="different sizes"):
        load_frames(folder, STAGE)


def test_what_a_frame_shows_is_the_sector_not_the_text() -> None:
    grey = np.zeros((480, 640), np.uint8)
    grey[50:400, 150:500] = 80
    grey[10:20, 10:90] = 255
    rows, columns = shown_box(grey)
    assert abs(rows.start - 50) < 12 and abs(rows.stop - 400) < 12
    assert abs(columns.start - 150) < 12 and abs(columns.stop - 500) < 12
    assert shown_box(np.zeros((40, 50), np.uint8)) == (slice(0, 40), slice(0, 50))


def test_longest_side_fills_the_patch_and_pixels_keep_their_proportion() -> None:
    assert frame_spacing((100, 200), (1.0, 1.0), STAGE) == (1.0, 0.32, 0.32)
    assert frame_spacing((100, 200), (0.4, 0.1), STAGE) == pytest.approx((1.0, 0.64, 0.16))


@pytest.mark.parametrize("pixel", [None, (0.3, 0.3)])
def test_outline_is_the_largest_region_without_holes(pixel: tuple[float, float] | None) -> None:
    grey, kidney = frame()
    grey[58:62, 70:90] = 30
    grey[5:9, 5:9] = 255
    outline = outline_kidney(grey, predictor(), RULES, pixel_mm=pixel)
    both = np.count_nonzero(outline.mask & kidney)
    assert 2 * both / (outline.mask.sum() + kidney.sum()) > 0.94
    assert not outline.mask[5:9, 5:9].any()
    assert outline.confidence > 0.9 and outline.flags == []


def test_what_is_small_or_doubtful_is_no_kidney() -> None:
    grey, _ = frame()
    doubtful = outline_kidney(grey, predictor(logit=0.2), RULES)
    assert not doubtful.mask.any() and doubtful.confidence == 0
    flagged = outline_kidney(grey, predictor(logit=1.5), RULES)
    assert flagged.mask.any() and [flag.code for flag in flagged.flags] == ["low_confidence"]
    unusual = outline_kidney(grey, predictor(), replace(RULES, usual_share=0.9))
    assert unusual.mask.any() and [flag.code for flag in unusual.flags] == ["low_confidence"]
    small = outline_kidney(grey, predictor(), replace(RULES, smallest_share=0.5))
    assert not small.mask.any()
    dark = outline_kidney(np.zeros((90, 90), np.uint8), predictor(), RULES)
    assert not dark.mask.any()


def test_constant_mask_is_the_majority_at_any_size() -> None:
    kidneys = [np.tile(np.arange(8) < n, (8, 1)) for n in (2, 4, 6)]
    mask = constant_mask(kidneys, (4, 16))
    assert mask.shape == (4, 16)
    assert mask[:, :8].all() and not mask[:, 8:].any()


def patch() -> Patch:
    grey, kidney = frame()
    empty = torch.zeros(1, *grey.shape)
    hu, organ = torch.from_numpy(grey.astype(np.float32))[None], torch.from_numpy(kidney.astype(np.float32))[None]
    hu[:, :, :5] = -1024
    return Patch(hu, organ, empty.clone(), empty.clone(), empty, empty, empty, (1.0, 1.0, 1.0), 0.0)


@pytest.mark.parametrize(
    "transform",
    [
        Gain(probability=1.0),
        Speckle(probability=1.0),
        Shadow(probability=1.0),
        Haze(probability=1.0),
        SectorBorder(probability=1.0, reach=(0.2, 0.25)),
        Overlays(text=1.0, ruler=1.0, calipers=1.0, colour_box=1.0),
    ],
    ids=lambda transform: type(transform).__name__,
)
def test_augmentation_changes_the_image_and_repeats_itself(transform: Transform) -> None:
    first, second, before = patch(), patch(), patch()
    transform.apply(first, np.random.default_rng(3))
    transform.apply(second, np.random.default_rng(3))
    torch.testing.assert_close(first.hu, second.hu)
    assert not torch.equal(first.hu, before.hu)
    assert bool(torch.isfinite(first.hu).all()) and float(first.hu.max()) <= 255
    if isinstance(transform, SectorBorder):
        assert float(first.organ.sum()) <= float(before.organ.sum())
        assert not first.organ[first.hu == 0].any()
    else:
        assert torch.equal(first.organ, before.organ)
    if not isinstance(transform, (Overlays, SectorBorder)):
        assert bool((first.hu[:, :, :5] == -1024).all())


@pytest.mark.parametrize("name", ["ultrasound", "p3-ultrasound-ensemble"])
def test_the_shipped_recipes_can_be_read_and_learn_from_training_frames_alone(name: str) -> None:
    recipe = read_recipe(find_recipe(name))
    assert recipe.task == recipe.stage.name == "ultrasound"
    assert recipe.data.train == ("ultrasound/train",) and recipe.data.validation == ("ultrasound/validation",)
    assert recipe.stage.whole and recipe.stage.network.inputs == ("image",)


def test_the_recipe_of_the_ensemble_has_the_paper_s_settings() -> None:
    recipe = read_recipe(find_recipe("p3-ultrasound-ensemble"))
    assert (recipe.optimiser.kind, recipe.optimiser.learning_rate, recipe.schedule.epochs) == ("adam", 1e-3, 100)
    branches = recipe.stage.network.branches or ()
    assert [(b.architecture, b.encoder) for b in branches] == [
        ("deeplabv3plus2d", "resnet18"),
        ("deeplabv3plus2d", "resnet152"),
        ("linknet2d", "resnet18"),
    ]
