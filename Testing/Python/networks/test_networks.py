"""The networks in plain torch are those that the weights were trained in; tiles are blended as MONAI blends them."""

from __future__ import annotations

import pytest
import torch

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.networks.factory import build_network, load_parameters, parameters
from KidneySegLib.networks.sliding_window import gaussian_weights, sliding_window, tile_count, tile_starts
from KidneySegLib.networks.unet import UNet


@pytest.mark.parametrize(("dimensions", "affine"), [(2, False), (3, False), (3, True)])
def test_logits_are_those_of_dynunet_with_the_same_parameters(dimensions: int, affine: bool) -> None:
    nets = pytest.importorskip("monai.networks.nets", reason="MONAI, which training uses, is not installed")
    torch.manual_seed(0)
    filters = [4, 8, 12, 16]
    theirs = nets.DynUNet(
        spatial_dims=dimensions,
        in_channels=2,
        out_channels=3,
        kernel_size=[3] * 4,
        strides=[1, 2, 2, 2],
        upsample_kernel_size=[2] * 3,
        filters=filters,
        norm_name=("instance", {"affine": affine}),
    ).eval()
    if affine:
        for name, value in theirs.named_parameters():
            if "norm" in name:
                torch.nn.init.uniform_(value, 0.5, 1.5)
    ours = UNet(dimensions, 2, 3, filters, affine=affine).eval()
    load_parameters(ours, dict(theirs.named_parameters()))
    image = torch.randn(1, 2, *[16, 24, 32][:dimensions])
    with torch.inference_mode():
        expected, found = theirs(image), ours(image)
    assert float(expected.std()) > 0.01
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "task"), [("ct-kidney", "ct"), ("ct-slice", "ct-slice")])
def test_shipped_weights_fill_every_parameter(name: str, task: str) -> None:
    bundle = find_bundle(name, task)
    for stage in bundle.stages:
        network = build_network(stage.network)
        load_parameters(network, bundle.weights()[stage.name])
        assert all(bool(torch.isfinite(value).all()) for value in parameters(network).values())


@pytest.mark.parametrize("shape", [(16, 20, 24), (17, 40, 31), (16, 16, 16)])
def test_tiles_are_blended_as_monai_does(shape: tuple[int, int, int]) -> None:
    inferers = pytest.importorskip("monai.inferers.utils", reason="MONAI, which training uses, is not installed")
    torch.manual_seed(1)
    image, patch, overlap = torch.randn(2, *shape), (16, 16, 16), 0.5
    layer = torch.nn.Conv3d(2, 3, 3, padding=1)
    tiles = []

    def run(tile: torch.Tensor) -> torch.Tensor:
        tiles.append(tile.shape)
        return layer(tile)

    with torch.inference_mode():
        expected = inferers.sliding_window_inference(image[None], patch, 1, layer, overlap=overlap, mode="gaussian")
        found = sliding_window(image, patch, overlap, run)
    assert len(tiles) == tile_count(shape, patch, overlap)
    torch.testing.assert_close(found, expected[0], rtol=1e-6, atol=1e-6)


def test_what_a_network_says_of_single_voxels_comes_out_unchanged() -> None:
    image = torch.randn(1, 19, 26, 33)
    found = sliding_window(image, (8, 16, 16), 0.25, lambda tile: torch.cat((tile, 2 * tile), dim=1))
    torch.testing.assert_close(found, torch.cat((image, 2 * image)), rtol=1e-5, atol=1e-6)


def test_tiles_cover_an_axis_to_its_end() -> None:
    assert tile_starts(16, 16, 0.5) == [0]
    assert tile_starts(17, 16, 0.5) == [0, 1]
    assert tile_starts(32, 16, 0.5) == [0, 8, 16]
    assert tile_starts(20, 8, 0.0) == [0, 8, 12]


def test_weights_of_a_tile_fall_from_its_middle_and_never_to_nothing() -> None:
    weights = gaussian_weights((8, 16, 16))
    assert weights.shape == (8, 16, 16)
    assert float(weights[4, 8, 8]) == pytest.approx(float(weights.max()))
    assert float(weights.min()) >= 1e-3
