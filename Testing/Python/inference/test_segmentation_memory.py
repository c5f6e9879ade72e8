from dataclasses import replace

import pytest
import torch

from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.errors import ResourceError
from KidneySegLib.inference.device import choose_device
from KidneySegLib.inference.memory import probabilities_within_memory, smaller_patch
from KidneySegLib.inference.predict import Predictor

STAGE = StagePlan(
    name="kidney",
    network=NetworkPlan("unet3d", (4, 8, 8), ("kidney",)),
    spacing=(1.5, 1.5, 1.5),
    window=(-100.0, 100.0),
    patch=(64, 64, 64),
)
PLENTY = 10**12


class Greedy(torch.nn.Module):
    """Answers with its input, but only to tiles of at most ``limit`` voxels."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def forward(self, tile: torch.Tensor) -> torch.Tensor:
        if tile.numel() > self.limit:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate; out of memory")
        return tile.clone()


def predictor(network: torch.nn.Module) -> Predictor:
    return Predictor(STAGE, (network,), torch.device("cpu"), torch.float32)


def test_plenty_of_memory_changes_nothing():
    hu = torch.linspace(-100, 100, 40 * 70 * 80).reshape(40, 70, 80)
    shares = []
    found, flags = probabilities_within_memory(predictor(Greedy(64**3)), hu, shares.append, lambda: PLENTY)
    assert flags == []
    assert torch.allclose(found[0], torch.sigmoid(hu / 100), atol=1e-4)
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_out_of_memory_gets_smaller_tiles_and_says_so():
    hu = torch.linspace(-100, 100, 40 * 70 * 80).reshape(40, 70, 80)
    found, flags = probabilities_within_memory(predictor(Greedy(40**3)), hu, lambda share: None, lambda: PLENTY)
    assert [f.code for f in flags] == ["memory_guard"]
    assert torch.allclose(found[0], torch.sigmoid(hu / 100), atol=1e-4)


def test_low_free_memory_gets_smaller_tiles_before_anything_fails():
    hu = torch.zeros(64, 64, 64)
    _, flags = probabilities_within_memory(predictor(Greedy(32**3)), hu, lambda share: None, lambda: 10**6)
    assert [f.code for f in flags] == ["memory_guard"]


def test_not_even_the_smallest_tile_fits():
    with pytest.raises(ResourceError, match="not enough memory"):
        probabilities_within_memory(predictor(Greedy(10)), torch.zeros(64, 64, 64), lambda share: None, lambda: PLENTY)


def test_other_errors_are_not_taken_for_lack_of_memory():
    class Broken(torch.nn.Module):
        def forward(self, tile: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        probabilities_within_memory(predictor(Broken()), torch.zeros(8, 8, 8), lambda share: None, lambda: PLENTY)


def test_patches_shrink_to_valid_sizes():
    patch, seen = (80, 64, 96), []
    stage = replace(STAGE, patch=patch)
    while patch is not None:
        seen.append(patch)
        assert all(p % d == 0 for p, d in zip(patch, stage.divisors, strict=True))
        patch = smaller_patch(stage, patch)
    assert seen[-1] == (32, 32, 32)


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "cpu:1", "tpu"])
def test_unknown_devices_are_refused(name):
    with pytest.raises(ResourceError, match="Use auto, cpu"):
        choose_device(name)


def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ResourceError, match="cpu"):
        choose_device("cuda:99")
    assert choose_device("cpu").name == "cpu"
