"""The networks in plain torch are those that the weights were trained in; tiles are blended as MONAI blends them."""

from __future__ import annotations

import pytest
import torch

from KidneySegLib.bundles.catalogue import find_bundle
from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.bundles.topology import Topology
from KidneySegLib.errors import BundleError
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


def _topology(dimensions: int, encoder: tuple[int, ...], decoder: tuple[int, ...], norm: str = "instance") -> Topology:
    """Levels that differ along the first axis, as those for thick slices do."""
    thick, even = (1, 2, 2)[-dimensions:], (2,) * dimensions
    strides = ((1,) * dimensions, even, thick if norm == "instance" else even, even)
    kernels = ((1, 3, 3)[-dimensions:] if norm == "instance" else (3,) * dimensions, *[(3,) * dimensions] * 3)
    return Topology(strides, kernels, encoder, decoder, norm)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("residual", [False, True])
def test_logits_are_those_of_nnunet_with_the_same_parameters(dimensions: int, residual: bool) -> None:
    unet = pytest.importorskip(
        "dynamic_network_architectures.architectures.unet", reason="nnU-Net's networks are not installed"
    )
    topology = _topology(dimensions, (1, 2, 3, 2), (1, 2, 1))
    kind = unet.ResidualEncoderUNet if residual else unet.PlainConvUNet
    torch.manual_seed(0)
    theirs = kind(
        input_channels=2,
        n_stages=4,
        features_per_stage=[4, 8, 12, 12],
        conv_op=torch.nn.Conv3d if dimensions == 3 else torch.nn.Conv2d,
        kernel_sizes=topology.kernels,
        strides=topology.strides,
        num_classes=3,
        n_conv_per_stage_decoder=topology.decoder,
        conv_bias=True,
        norm_op=torch.nn.InstanceNorm3d if dimensions == 3 else torch.nn.InstanceNorm2d,
        norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=torch.nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
        deep_supervision=True,
        **{"n_blocks_per_stage" if residual else "n_conv_per_stage": topology.encoder},
    ).eval()
    for name, value in theirs.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(value, 0.5, 1.5)
    name = f"nnunet-{'residual' if residual else 'plain'}{dimensions}d"
    plan = NetworkPlan(name, (4, 8, 12, 12), ("a", "b", "c"), ("image", "soft"), topology=topology)
    ours = build_network(plan).eval()
    load_parameters(ours, dict(theirs.named_parameters()))
    image = torch.randn(1, 2, *[16, 32, 32][-dimensions:])
    with torch.inference_mode():
        expected, found = theirs(image), ours.levels(image)
        torch.testing.assert_close(ours(image), expected[0], rtol=1e-5, atol=1e-5)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_logits_are_those_of_monai_s_unet_with_the_same_parameters(dimensions: int, norm: str) -> None:
    nets = pytest.importorskip("monai.networks.nets", reason="MONAI, which training uses, is not installed")
    torch.manual_seed(0)
    filters = (4, 8, 12, 16)
    theirs = nets.UNet(dimensions, 1, 3, filters, (2, 2, 2), num_res_units=2, norm=norm).eval()
    for name, value in theirs.state_dict().items():
        if "running" in name:
            torch.nn.init.uniform_(value, 0.5, 2)
    topology = Topology(
        ((1,) * dimensions, *[(2,) * dimensions] * 3), ((3,) * dimensions,) * 4, (2,) * 4, (1,) * 3, norm
    )
    ours = build_network(NetworkPlan(f"monai-unet{dimensions}d", filters, ("a", "b", "c"), topology=topology)).eval()
    load_parameters(ours, parameters(theirs))
    image = torch.randn(1, 1, *[16, 24, 32][-dimensions:])
    with torch.inference_mode():
        torch.testing.assert_close(ours(image), theirs(image), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"strides": ((2, 2), (2, 2))},
        {"strides": ((1, 1), (2, 2), (2, 2))},
        {"kernels": ((3, 3), (2, 3))},
        {"kernels": ((3, 3, 3), (3, 3, 3))},
        {"decoder": ()},
        {"encoder": (1, 99)},
        {"norm": "layer"},
    ],
)
def test_a_topology_that_is_none_is_refused(change: dict[str, object]) -> None:
    fields = {"strides": ((1, 1), (2, 2)), "kernels": ((3, 3), (3, 3)), "encoder": (1, 1), "decoder": (1,)}
    NetworkPlan("nnunet-plain2d", (4, 8), ("a",), topology=Topology(**fields))
    with pytest.raises(ValueError):
        NetworkPlan("nnunet-plain2d", (4, 8), ("a",), topology=Topology(**{**fields, **change}))


@pytest.mark.parametrize("name", ["nnunet-plain3d", "monai-unet3d"])
def test_networks_that_are_planned_level_by_level_need_their_topology(name: str) -> None:
    with pytest.raises(BundleError, match="Update KidneySeg"):
        build_network(NetworkPlan(name, (4, 8), ("a",)))


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
