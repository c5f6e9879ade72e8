"""Networks on residual encoders: torchvision's layout, shapes, gradients in every branch, weights of a user."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from KidneySegLib.bundles.network import Branch, NetworkPlan
from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.errors import BundleError, InputError
from KidneySegLib.networks.encoder_weights import load_encoders
from KidneySegLib.networks.factory import build_network, load_parameters, parameters
from KidneySegLib.networks.resnet import KINDS, ResNet

DEEPLAB = NetworkPlan("deeplabv3plus2d", outputs=("kidney",), encoder="resnet18")
LINKNET = replace(DEEPLAB, architecture="linknet2d")
FUSED = NetworkPlan(
    "fused2d",
    outputs=("kidney",),
    branches=(Branch("deeplabv3plus2d", "resnet18"), Branch("linknet2d", "resnet18")),
)

# Published sizes of torchvision's ResNets, less their classifier of 1000 classes.
SIZES = {"resnet18": 11_689_512 - 513_000, "resnet152": 60_192_808 - 2_049_000}


@pytest.mark.parametrize("name", SIZES)
def test_encoders_have_torchvisions_parameters(name: str) -> None:
    with torch.device("meta"):
        encoder = ResNet(KINDS[name], 3)
    shapes = {key: tuple(value.shape) for key, value in encoder.state_dict().items()}
    assert sum(value.numel() for value in encoder.parameters()) == SIZES[name]
    assert list(shapes)[:6] == [
        "conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked",
    ]  # fmt: skip
    assert shapes["conv1.weight"] == (64, 3, 7, 7)
    if name == "resnet18":
        assert shapes["layer1.1.conv2.weight"] == (64, 64, 3, 3)
        assert shapes["layer2.0.downsample.0.weight"] == (128, 64, 1, 1)
        assert shapes["layer4.1.bn2.running_var"] == (512,)
        assert not any(key.startswith("layer1.0.downsample") for key in shapes)
        assert len(shapes) == 120
    else:
        assert shapes["layer1.0.downsample.0.weight"] == (256, 64, 1, 1)
        assert shapes["layer3.35.conv3.weight"] == (1024, 256, 1, 1)
        assert shapes["layer4.0.conv2.weight"] == (512, 512, 3, 3)
        assert len(shapes) == 930


@pytest.mark.parametrize("plan", [DEEPLAB, LINKNET, FUSED], ids=lambda plan: plan.architecture)
def test_logits_have_the_grid_of_the_image(plan: NetworkPlan) -> None:
    plan = replace(plan, outputs=("kidney", "mass"), inputs=("image", "zscore"))
    network = build_network(plan).eval()
    with torch.inference_mode():
        assert network(torch.randn(1, 2, 64, 96)).shape == (1, 2, 64, 96)
    again = build_network(plan).eval()
    load_parameters(again, parameters(network))
    image = torch.randn(1, 2, 32, 64)
    with torch.inference_mode():
        torch.testing.assert_close(again(image), network(image))


def test_fusion_begins_as_the_mean_and_trains_every_branch() -> None:
    torch.manual_seed(0)
    network = build_network(FUSED).eval()
    image = torch.randn(2, 1, 64, 64)
    with torch.inference_mode():
        mean = torch.stack([branch(image) for branch in network.branches]).mean(dim=0)
        torch.testing.assert_close(network(image), mean)
    network.train()(image).square().mean().backward()
    without = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.abs().any()]
    assert without == []


def test_deep_encoder_takes_a_step_on_one_small_image() -> None:
    torch.manual_seed(0)
    network = build_network(replace(DEEPLAB, encoder="resnet152")).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    before = network.encoder.conv1.weight.detach().clone()
    network(torch.randn(1, 1, 64, 64)).square().mean().backward()
    optimiser.step()
    assert bool(torch.isfinite(network.encoder.conv1.weight).all())
    assert bool((network.encoder.conv1.weight != before).any())


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_imagenet_weights_of_a_user_load_by_name(tmp_path: Path, suffix: str) -> None:
    torch.manual_seed(1)
    theirs = ResNet(KINDS["resnet18"], 3)
    values = {**theirs.state_dict(), "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    values = {key: value.contiguous() for key, value in values.items() if not key.endswith("num_batches_tracked")}
    file = tmp_path / f"resnet18-f37072fd{suffix}"
    save_file(values, file) if suffix == ".safetensors" else torch.save(values, file)
    network = build_network(FUSED).eval()
    assert load_encoders(network, tmp_path) == ["resnet18", "resnet18"]
    grey = torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        expected = theirs.eval()(grey.expand(-1, 3, -1, -1))[-1]
        found = network.branches[1].encoder(grey)[-1]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_wrong_encoder_weights_are_refused_in_a_sentence(tmp_path: Path) -> None:
    network = build_network(LINKNET)
    with pytest.raises(InputError, match="needs one file 'resnet18"):
        load_encoders(network, tmp_path)
    (tmp_path / "resnet18-x.pth").write_bytes(b"no weights")
    with pytest.raises(InputError, match="cannot be read as weights"):
        load_encoders(network, tmp_path)
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "resnet18-x.pth")
    with pytest.raises(InputError, match="not those of resnet18"):
        load_encoders(network, tmp_path)
    with pytest.raises(InputError, match="no residual encoder"):
        load_encoders(build_network(NetworkPlan("unet2d", (4, 8), ("kidney",))), tmp_path)


@pytest.mark.parametrize(
    "network",
    [
        {"architecture": "linknet2d", "outputs": ["kidney"]},
        {"architecture": "linknet2d", "outputs": ["kidney"], "encoder": "resnet18", "filters": [4, 8]},
        {"architecture": "unet2d", "filters": [4, 8]},
        {"architecture": "fused2d", "outputs": ["kidney"], "branches": [{"architecture": "linknet2d"}]},
    ],
)
def test_plan_needs_one_body_and_outputs(network: dict[str, object]) -> None:
    stage = {"name": "s", "network": network, "spacing": [1.0] * 3, "window": [0.0, 255.0], "patch": [1, 64, 64]}
    with pytest.raises(BundleError, match="plan of a stage cannot be read"):
        StagePlan.from_dict(stage)


@pytest.mark.parametrize(
    "plan",
    [
        replace(LINKNET, encoder="resnet9999"),
        replace(LINKNET, architecture="unet2d"),
        replace(FUSED, branches=(Branch("unet2d", "resnet18"), Branch("linknet2d", "resnet18"))),
    ],
)
def test_unknown_parts_are_refused(plan: NetworkPlan) -> None:
    with pytest.raises(BundleError, match="does not have"):
        build_network(plan)
