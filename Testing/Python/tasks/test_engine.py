"""The engine with the shipped bundle: on phantoms."""

from pathlib import Path

import numpy as np
import pytest
from organ_dice import dice
from result_cases import segmented

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.result_files.result import Result
from KidneySegLib.sample.write import write_sample
from KidneySegLib.structures import Side
from KidneySegLib.tasks.run import run
from KidneySegLib.volume import AxisOrder, Volume, read_image


@pytest.fixture(scope="module")
def phantom(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("phantom")
    write_sample(folder, slices=100, spacing=2.5)
    return folder


@pytest.fixture(scope="module")
def phantom_run(phantom) -> Result:
    return run("ct", phantom / "series", device="cpu")


def test_the_phantom_has_two_kidneys_on_their_sides(phantom, phantom_run):
    truth = read_image(phantom / "truth.nii.gz")
    assert np.allclose(truth.ijk_to_lps, phantom_run.image.stored.ijk_to_lps, atol=1e-3)
    for side in Side:
        assert dice(phantom_run.segmentation.labels, truth.voxels, side) > 0.85
    assert {kidney.side for kidney in phantom_run.findings.kidneys} == set(Side)


def test_two_runs_agree(phantom, phantom_run):
    assert np.array_equal(
        run("ct", phantom / "series", device="cpu").segmentation.labels, phantom_run.segmentation.labels
    )


@pytest.mark.parametrize(
    ("permutation", "flips"),
    [
        ((0, 1, 2), (False, False, True)),
        ((0, 1, 2), (True, True, True)),
        ((2, 0, 1), (True, False, False)),
        ((1, 2, 0), (False, True, True)),
    ],
)
def test_the_result_does_not_depend_on_the_stored_axes(phantom_run, permutation, flips):
    order = AxisOrder(permutation, flips)
    stored: Volume = phantom_run.image.stored.reordered(order)
    labels = segmented(stored, find_bundle(None, "ct")).labels
    assert np.array_equal(labels, order.apply(phantom_run.segmentation.labels))


def test_a_head_has_no_kidney():
    grid = np.stack(np.meshgrid(*map(np.arange, (90, 120, 110)), indexing="ij"), -1) * 2.0
    radius = np.linalg.norm((grid - (90, 120, 110)) / (85, 100, 80), axis=-1)
    head = np.select([radius < 0.88, radius < 0.94, radius < 1.0], [35.0, 1100.0, 20.0], -1000.0)
    for side in (-28, 28):  # eyes and ventricles
        head[np.linalg.norm(grid - (60, 45, 110 + side), axis=-1) < 12] = 10
        head[np.linalg.norm((grid - (110, 120, 110 + side / 3)) / (14, 35, 6), axis=-1) < 1] = 5
    head += np.random.default_rng(0).normal(0, 6, head.shape)
    volume = Volume(head.astype(np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
    assert not segmented(volume, find_bundle(None, "ct")).labels.any()
