"""The recipes of the papers: their settings to the letter, and what of a recipe they alone use, on tiny arrays."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from training_cases import RECIPE, write_exams

from KidneySegLib.bundles.bundle import Bundle, write_bundle
from KidneySegLib.bundles.plan import Normalisation
from KidneySegLib.bundles.rules import CtRules, ExamRules
from KidneySegLib.datasets.labelled_exam import LabelledExam
from KidneySegLib.datasets.whole_grid import on_grid
from KidneySegLib.errors import InputError
from KidneySegLib.inference.predict import Predictor
from KidneySegLib.inference.resampling import restore, restore_slice
from KidneySegLib.inference.scan_probabilities import scan_probabilities
from KidneySegLib.inference.slicewise import slice_probabilities
from KidneySegLib.inference.window_channels import window_channels
from KidneySegLib.networks.factory import build_network, parameters
from KidneySegLib.segmentation.whole_exam import segment_exam
from KidneySegLib.tasks.run import run
from KidneySegLib.training.cases import training_exams, validation_exams
from KidneySegLib.training.fitting.learner import Plateau, _exclusive_losses, learning_rate
from KidneySegLib.training.fitting.trainer import Trainer
from KidneySegLib.training.patches import Patches
from KidneySegLib.training.recipe import Loss, Recipe, Schedule, find_recipe, read_recipe
from KidneySegLib.training.sampling import Sampling
from KidneySegLib.volume import Volume

CPU = torch.device("cpu")
EXAM = (
    RECIPE.replace('name = "kidney"', 'name = "exam"\nbody_hu = -500.0')
    .replace("window = [-160.0, 340.0]", "window = [-160.0, 340.0]\nnormalise = { zero_hu = -32.5, unit_hu = 67.5 }")
    .replace(
        'network = { architecture = "unet3d", filters = [4, 8, 8], outputs = ["kidney"] }',
        'network = { architecture = "nnunet-plain3d", filters = [4, 8, 8], outputs = ["background", "kidney", "mass"], '
        "exclusive = true, topology = { strides = [[1, 1, 1], [1, 2, 2], [2, 2, 2]], kernels = [[1, 3, 3], [3, 3, 3], "
        "[3, 3, 3]], encoder = [1, 1, 1], decoder = [1, 1] } }\nthreshold = 0.5",
    )
    .replace(
        "[optimiser]\nlearning_rate = 1e-2",
        "[loss]\nsmooth = 1e-5\ncount_absent = true\ndeep_supervision = true\n"
        '[optimiser]\nkind = "sgd"\nlearning_rate = 3e-2\nweight_decay = 3e-5',
    )
    .replace("epochs = 2\n", 'epochs = 3\nfall = "poly"\n')
    .replace("warm_up = 3\naverage = 0.9", "batch = 2\nwarm_up = 0\naverage = 0.0")
    .replace(
        'on_kidney = 1.0\njitter_mm = [5.0, 5.0, 5.0]\nmirror = "left"',
        'weight = "each"\ncentre = "label"\non_kidney = 0.5\njitter_mm = [0.0, 0.0, 0.0]\nmirror = "random"',
    )
    .replace("boxes = true", 'choose_by = "mean"')
)


def recipe_of(folder: Path, text: str) -> Recipe:
    (folder / "recipe.toml").write_text(text)
    return read_recipe(folder / "recipe.toml")


def shipped(name: str) -> Recipe:
    return read_recipe(find_recipe(name))


def test_paper_1_is_to_the_letter() -> None:
    recipe = shipped("p1-unet2d-noncontrast")
    stage, schedule = recipe.stage, recipe.schedule
    assert stage.patch == (1, 512, 512) and stage.whole and stage.threshold == 0.65 and stage.equalise is not None
    assert stage.spacing[1] * 512 == pytest.approx(500, abs=0.5)
    assert stage.window == (-1024.0, 3071.0) and stage.network.outputs == ("kidney",)
    assert schedule.epochs == 25 and schedule.steps_per_epoch * schedule.batch == 416
    assert recipe.validation.largest_regions and recipe.sampling.without_kidney == 0
    assert recipe.augmentation.patient == recipe.augmentation.scanner == []


def test_paper_2_is_to_the_letter() -> None:
    recipe = shipped("p2-nnunet3d-kidney-mass-cyst")
    optimiser, schedule = recipe.optimiser, recipe.schedule
    assert (optimiser.kind, optimiser.learning_rate, optimiser.momentum, optimiser.weight_decay) == (
        "sgd",
        0.01,
        0.99,
        3e-5,
    )
    assert (schedule.fall, schedule.epochs, schedule.steps_per_epoch, schedule.batch) == ("poly", 1000, 250, 2)
    assert recipe.loss.deep_supervision and recipe.loss.dice == recipe.loss.cross_entropy == 1
    assert recipe.stage.network.outputs == ("background", "kidney", "mass", "cyst")


@pytest.mark.parametrize("name", ["downsampled", "patches", "both"])
def test_paper_4_is_to_the_letter(name: str) -> None:
    recipe = shipped(f"p4-monai-{name}")
    stage, schedule = recipe.stage, recipe.schedule
    assert stage.spacing == (3.22, 1.62, 1.62) and stage.window == (-79.0, 304.0)
    assert stage.normalise == Normalisation(-79.0, 383.0) and stage.patch == (32, 128, 128)
    assert stage.grid == (None if name == "patches" else stage.patch)
    assert stage.network.topology is not None and stage.network.topology.norm == "batch"
    assert (recipe.loss.dice, recipe.loss.cross_entropy, recipe.loss.smooth) == (1.0, 0.0, 1.0)
    assert (recipe.optimiser.kind, recipe.optimiser.learning_rate) == ("adam", 1e-4)
    assert (schedule.fall, schedule.patience, schedule.epochs) == ("plateau", 10, 300)
    crops = 1 if name == "downsampled" else 4
    assert recipe.sampling.crops == schedule.batch == crops
    assert name == "downsampled" or (recipe.sampling.centre, recipe.sampling.on_kidney) == ("label", 0.5)


def test_whole_exams_are_learnt_exported_and_segmented(tmp_path: Path) -> None:
    """From a recipe with nnU-Net's network to a bundle that outlines a whole exam, right and left by anatomy."""
    write_exams(tmp_path)
    recipe = recipe_of(tmp_path, EXAM)
    trainer = Trainer(recipe, tmp_path / "run", CPU)
    trainer.learner.precision = torch.float32
    exams, validation = (read(recipe, tmp_path, tmp_path / "cache") for read in (training_exams, validation_exams))
    assert trainer.run(exams, validation)
    assert trainer.learner.best > 0.6
    network = trainer.predictor.members[0]
    rules = CtRules(exam=ExamRules(smallest_organ_ml=0.5))
    bundle = Bundle(tmp_path / "mine", "mine", "1", "made", "ct", "none", (recipe.stage,), rules, "")
    write_bundle(bundle, {"exam": parameters(network)})
    result = run("ct", tmp_path / "validation/two/image.nii.gz", model=str(tmp_path / "mine"), device="cpu")
    found = result.segmentation.labels
    assert (found[8, 20, 15], found[8, 20, 45]) == (1, 2)
    assert "cyst" not in {finding.structure for finding in result.findings.all}


def test_sides_islands_and_small_lesions_are_decided_by_geometry_and_rules() -> None:
    voxels = np.full((12, 24, 32), -1000, np.int16)
    voxels[:, 2:22, 2:30] = -50
    classes = np.zeros(voxels.shape, int)
    classes[3:9, 8:16, 5:11] = 1
    classes[3:9, 8:16, 20:27] = 1
    classes[4:8, 10:14, 21:25] = 2  # a mass in the left kidney
    classes[5, 9, 6] = 2  # a speck in the right one
    classes[1, 3, 15] = 1  # an island

    class Knows(torch.nn.Module):
        def forward(self, tile: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.one_hot(torch.from_numpy(classes), 3).permute(3, 0, 1, 2)[None].float() * 20

    stage = replace(shipped("p4-monai-downsampled").stage, grid=(12, 24, 32), patch=(16, 32, 32), body_hu=None)

    class Fits(Knows):
        def forward(self, tile: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.pad(super().forward(tile), (0, 0, 4, 4, 2, 2))

    predictor = Predictor(stage, (Fits(),), CPU, torch.float32)
    volume = Volume(voxels, np.diag([3.0, 3.0, 3.0, 1.0]))
    every = segment_exam(volume, predictor, ExamRules())
    assert every.labels[4, 9, 7] == 1 and every.labels[4, 9, 26] == 2 and every.labels[5, 11, 22] == 3
    assert every.labels[5, 9, 6] == 3 and every.labels[1, 3, 15] in (1, 2)
    assert every.confidence is not None
    strict = segment_exam(volume, predictor, ExamRules(smallest_organ_ml=1.0, smallest_lesion_mm=5.0))
    assert strict.labels[5, 9, 6] == 1 and strict.labels[1, 3, 15] == 0 and strict.labels[5, 11, 22] == 3


def test_a_slice_is_restored_as_the_whole_scan_is() -> None:
    grid, shape = torch.rand(2, 5, 6, 7), (13, 9, 20)
    whole = torch.stack([restore(channel, shape) for channel in grid])
    for k in range(shape[0]):
        torch.testing.assert_close(restore_slice(grid, k, shape), whole[:, k])


def test_slices_say_what_the_whole_exam_does_and_nothing_outside_the_body() -> None:
    torch.manual_seed(0)
    stage = replace(shipped("p4-monai-patches").stage, spacing=(3.0, 3.0, 3.0), patch=(16, 16, 16))
    predictor = Predictor(stage, (build_network(stage.network).eval(),), CPU, torch.float32)
    voxels = np.full((10, 20, 24), -1000, np.int16)
    voxels[2:9, 3:18, 4:22] = np.random.default_rng(0).integers(-50, 200, (7, 15, 18))
    found, _ = scan_probabilities(voxels, (3.0, 3.0, 3.0), predictor, lambda _: None)
    box, slices, _ = slice_probabilities(voxels, (3.0, 3.0, 3.0), predictor, lambda _: None)
    assert box == (slice(2, 9), slice(3, 18), slice(4, 22))
    np.testing.assert_allclose(torch.stack(list(slices), dim=1).numpy(), found[(slice(None), *box)], atol=1e-6)
    assert (found[0, 0] == 1).all() and (found[1:, 0] == 0).all()


def test_hu_are_normalised_by_the_numbers_of_the_plan() -> None:
    stage = shipped("p2-nnunet3d-kidney-mass-cyst").stage
    hu = torch.tensor([[[-1000.0, 101.0, 177.9, 1000.0]]])
    expected = torch.tensor([[[[-180 / 76.9, 0.0, 1.0, 203 / 76.9]]]])
    torch.testing.assert_close(window_channels(hu, stage), expected)


def exam(name: str = "one", lesion: int = 3) -> LabelledExam:
    organ = np.zeros((10, 20, 30), np.uint8)
    organ[4:6, 5:9, 6:10] = 1
    lesions = np.zeros_like(organ)
    lesions[4, 5, 6] = lesion
    hu = np.full(organ.shape, 30, np.int16)
    maps = (hu, organ, organ, organ, lesions, organ)
    return LabelledExam(name, name, (3.0, 2.0, 2.0), *maps, boxes=(("right", (4, 5, 6), (6, 9, 10)),))


def test_patches_around_labels_lie_within_the_exam() -> None:
    sampling = Sampling(centre="label", on_kidney=1.0, each_class=True, jitter_mm=(0.0, 0.0, 0.0), mirror="never")
    rng, size, hits = np.random.default_rng(0), (4.0, 16.0, 10.0), 0
    for _ in range(200):
        centre, mirrored = sampling.place(exam(), rng, size)
        assert not mirrored
        assert (centre - np.array(size) / 2 >= -0.5).all()
        assert (centre + np.array(size) / 2 <= np.array((10, 20, 30)) - 0.5).all()
        hits += bool(centre[0] == 4.0)
    # the one voxel of the mass is chosen as often as all of the kidney: 1 in 2, and the kidney's half of them in k = 4
    assert 0.6 < hits / 200 < 0.9
    centre, _ = sampling.place(exam(), rng, (40.0, 40.0, 40.0))
    assert centre.tolist() == [4.5, 9.5, 14.5], "an exam that is smaller than the patch lies in its middle"


def test_exams_take_turns() -> None:
    sampling = Sampling(weight="each", crops=2, jitter_mm=(0.0, 0.0, 0.0), mirror="never")
    exams = [exam(name) for name in "abc"]
    order = [sampling.in_turn(exams, n, seed=1) for n in range(12)]
    assert order[0::2] == order[1::2] and sorted(order[0:6:2]) == sorted(order[6::2]) == [0, 1, 2]
    empty = replace(exam("d"), organ=np.zeros((10, 20, 30), np.uint8))
    without = Sampling(weight="each", without_kidney=0.0, jitter_mm=(0.0, 0.0, 0.0), mirror="never")
    assert {without.in_turn([*exams, empty], n, seed=1) for n in range(8)} == {0, 1, 2}


@pytest.mark.parametrize(("power", "share"), [(0.0, 1 / 2), (0.5, 2 / 3), (1.0, 4 / 5)])
def test_a_patient_counts_by_a_power_of_its_slices(power: float, share: float) -> None:
    slices = [*(replace(exam(str(n)), patient="many") for n in range(4)), replace(exam("one"), patient="one")]
    sampling = Sampling(weight="patient", power=power, jitter_mm=(0.0, 0.0, 0.0), mirror="never")
    assert sampling.weights(slices)[:4].sum() == pytest.approx(share)


def test_a_whole_exam_becomes_one_patch(tmp_path: Path) -> None:
    text = (
        EXAM.replace("patch = [16, 16, 16]", "patch = [8, 16, 24]\ngrid = [8, 16, 24]")
        .replace('"label"\non_kidney = 0.5', '"image"')
        .replace('mirror = "random"', 'mirror = "never"')
    )
    text = text[: text.index("[augmentation")] + text[text.index("[validation]") :]
    one = exam()
    image, target = Patches(recipe_of(tmp_path, text), [one])[0]
    assert image.shape == (1, 8, 16, 24) and target.shape == (3, 8, 16, 24)
    gridded = on_grid(one, (8, 16, 24))
    np.testing.assert_array_equal(target[0].numpy() == 0, gridded.organ > 0)
    assert gridded.spacing == pytest.approx((3.75, 2.5, 2.5))
    (_, low, up) = gridded.boxes[0]
    assert gridded.organ[tuple(slice(a, b) for a, b in zip(low, up, strict=True))].sum() == gridded.organ.sum() > 0


def test_patterns_name_exams_and_never_lead_out_of_the_data(tmp_path: Path) -> None:
    write_exams(tmp_path)
    text = RECIPE.replace('"train/one"', '"train/*"')
    assert [e.name for e in training_exams(recipe_of(tmp_path, text), tmp_path, tmp_path / "c")] == ["one"]
    for pattern, message in (("nothing/*", "none of the exams"), ("../*", "lead out")):
        recipe = recipe_of(tmp_path, RECIPE.replace('"train/one"', f'"{pattern}"'))
        with pytest.raises(InputError, match=message):
            training_exams(recipe, tmp_path, tmp_path / "c")


def test_rates_fall_as_the_papers_say() -> None:
    schedule = Schedule(fall="poly", epochs=10, steps_per_epoch=5, warm_up=0)
    rates = [learning_rate(0.01, schedule, step) for step in range(50)]
    assert rates[0] == rates[4] == 0.01 and rates[5] == pytest.approx(0.01 * 0.9**0.9)
    assert rates[-1] == pytest.approx(0.01 * 0.1**0.9)
    waiting = Schedule(fall="plateau", patience=2, epochs=10, steps_per_epoch=5, warm_up=0)
    plateau, optimiser = Plateau(), torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.01)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.1, patience=2)
    for loss in (1.0, 0.5, 0.6, 0.5, 0.5, 0.5, 0.4, 0.7, 0.8, 0.9, 0.39):
        plateau = plateau.after(loss, waiting.patience)
        theirs.step(loss)
        rate = learning_rate(0.01, waiting, 20, plateau.lowered)
        assert rate == pytest.approx(optimiser.param_groups[0]["lr"])
    assert plateau.lowered == 2


def test_dice_is_that_of_monai() -> None:
    losses = pytest.importorskip("monai.losses")
    torch.manual_seed(0)
    logits, classes = torch.randn(2, 3, 4, 5, 6), torch.randint(0, 2, (2, 1, 4, 5, 6))  # the third class is absent
    target = torch.nn.functional.one_hot(classes[:, 0], 3).permute(0, 4, 1, 2, 3).float()
    for each_patch in (True, False):
        theirs = losses.DiceLoss(
            include_background=False, softmax=True, to_onehot_y=True, batch=not each_patch, smooth_nr=1, smooth_dr=1
        )(logits, classes)
        plan = Loss(smooth=1.0, count_absent=True, each_patch=each_patch)
        _, ours = _exclusive_losses(logits, target, 1, plan)
        torch.testing.assert_close(ours, theirs)


def test_levels_are_weighed_as_nnunet_does(tmp_path: Path) -> None:
    write_exams(tmp_path)
    learner = Trainer(recipe_of(tmp_path, EXAM.replace('"mass"]', '"mass", "cyst"]')), tmp_path / "run", CPU).learner
    target = torch.zeros(1, 4, 8, 8, 8)
    target[:, 0] = 1
    fine, half, quarter = (torch.randn(1, 4, size, size, size) for size in (8, 4, 2))
    single = [float(learner._loss([logits], target)) for logits in (fine, half, quarter)]
    assert all(map(math.isfinite, single))
    together = float(learner._loss([fine, half, quarter], target))
    assert together == pytest.approx((single[0] + single[1] / 2) / 1.5, rel=1e-5)


def test_averaged_networks_have_the_statistics_of_batch_normalisation(tmp_path: Path) -> None:
    write_exams(tmp_path)
    text = EXAM.replace("nnunet-plain3d", "monai-unet3d").replace(
        "decoder = [1, 1]", 'decoder = [1, 1], norm = "batch"'
    )
    learner = Trainer(recipe_of(tmp_path, text.replace("deep_supervision = true\n", "")), tmp_path / "run", CPU).learner
    target = torch.zeros(2, 3, 16, 16, 16)
    target[:, 0] = 1
    learner.learn(torch.randn(2, 1, 16, 16, 16) + 3, target)
    means = [v for name, v in learner.average.state_dict().items() if name.endswith("running_mean")]
    assert means and all(float(v.abs().sum()) > 0 for v in means)


def test_deep_supervision_needs_a_network_with_levels(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="deep supervision"):
        recipe_of(tmp_path, RECIPE.replace("[optimiser]", "[loss]\ndeep_supervision = true\n[optimiser]"))
