import numpy as np
import pytest
import torch

from KidneySegLib.inference.resampling import grid_shape, normalise, resample, restore


def ramp(shape: tuple[int, int, int], axis: int, extent: float) -> np.ndarray:
    """Values that say where along ``axis`` a voxel's centre lies, from 0 to ``extent`` at the edges."""
    places = (np.arange(shape[axis]) + 0.5) / shape[axis] * extent
    return np.broadcast_to(np.moveaxis(places[:, None, None], 0, axis), shape).astype(np.float32)


@pytest.mark.parametrize("target", [(5, 6, 7), (70, 13, 40), (20, 30, 5), (3, 90, 90)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_both_grids_cover_the_same_extent(target, axis):
    # A linear ramp stays the same ramp on every grid, away from the ends; half a voxel of shift would show.
    source = (20, 30, 40)
    found = resample(ramp(source, axis, source[axis]), target).numpy()
    inner = tuple(slice(n // 4, n - n // 4) for n in target)
    assert np.abs(found - ramp(target, axis, source[axis]))[inner].max() < 0.35


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
