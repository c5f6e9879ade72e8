import numpy as np
import pytest
import torch

from KidneySegLib.segmentation.resampling import grid_shape, normalise, resample, restore


def ramp(shape: tuple[int, int, int]) -> np.ndarray:
    """Values that say where, in share of the extent, a voxel's centre lies along k, j and i."""
    k, j, i = ((np.arange(n) + 0.5) / n * 1000 for n in shape)
    return (k[:, None, None] + 10 * j[None, :, None] + 100 * i[None, None, :]).astype(np.float32)


@pytest.mark.parametrize("target", [(5, 6, 7), (70, 13, 40), (20, 30, 5), (3, 90, 90)])
def test_both_grids_cover_the_same_extent(target):
    # A linear ramp over the extent stays the same ramp on every grid, away from the ends.
    found = resample(ramp((20, 30, 40)), target).numpy()
    inner = tuple(slice(n // 4, n - n // 4) for n in target)
    assert np.abs(found - ramp(target))[inner].max() < 2500


def test_going_there_and_back_keeps_a_ball_in_its_place():
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in (40, 60, 60)), indexing="ij"), -1) * (2.0, 1.0, 1.0)
    ball = (np.linalg.norm(grid - (40, 25, 33), axis=-1) < 15).astype(np.float32)
    there = resample(ball, grid_shape(ball.shape, (2.0, 1.0, 1.0), (1.5, 1.5, 1.5)))
    back = restore(there, ball.shape).numpy() > 0.5
    truth = ball > 0.5
    assert 2 * (back & truth).sum() / (back.sum() + truth.sum()) > 0.97
    assert np.allclose(np.argwhere(back).mean(0), np.argwhere(truth).mean(0), atol=0.05)


def test_averaging_keeps_the_mean_and_lowers_noise():
    noise = np.random.default_rng(0).normal(0, 100, (70, 64, 64)).astype(np.int16)
    coarse = resample(noise, (35, 16, 16)).numpy()
    assert coarse.std() == pytest.approx(100 / np.sqrt(2 * 4 * 4), rel=0.05)
    assert coarse.mean() == pytest.approx(noise.mean(), abs=0.1)


def test_window_maps_to_minus_one_and_one():
    values = normalise(torch.tensor([-1000.0, -160.0, 90.0, 340.0, 3000.0]), (-160, 340))
    assert values.tolist() == [-1, -1, 0, 1, 1]
