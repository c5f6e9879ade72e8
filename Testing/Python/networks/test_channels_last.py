"""Networks with channels last give the same values, and their convolutions are handed no other order."""

import copy

import pytest
import torch

from KidneySegLib.inference.device import fast_bfloat16
from KidneySegLib.networks import channels_last
from KidneySegLib.networks.channels_last import put_channels_last
from KidneySegLib.networks.unet import UNet

_IN_BFLOAT16 = pytest.mark.skipif(not fast_bfloat16(), reason="this CPU has no convolutions in bfloat16")


@pytest.fixture(autouse=True)
def _same_weights():
    torch.manual_seed(3)


@_IN_BFLOAT16
@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("inputs", [1, 6])
@torch.inference_mode()
def test_values_are_the_same_bit_for_bit(affine, inputs):
    network = UNet(3, inputs, 3, (12, 24, 32), affine=affine).eval()
    faster = put_channels_last(copy.deepcopy(network))
    image = 3 + 2 * torch.randn(1, inputs, 24, 32, 28)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(faster(image), network(image))


@_IN_BFLOAT16
@torch.inference_mode()
def test_no_convolution_has_to_reorder_what_it_is_given():
    network, others = put_channels_last(UNet(3, 1, 2, (4, 8, 8)).eval()), []

    def look(layer, arguments):
        if not arguments[0].is_contiguous(memory_format=torch.channels_last_3d):
            others.append(layer)

    for layer in network.modules():
        if isinstance(layer, (torch.nn.Conv3d, torch.nn.ConvTranspose3d)):
            layer.register_forward_pre_hook(look)
    with torch.autocast("cpu", torch.bfloat16):
        network(torch.randn(1, 1, 8, 16, 16))
    assert not others


@_IN_BFLOAT16
@torch.inference_mode()
def test_several_images_at_once_are_normalised_each_for_itself():
    network = put_channels_last(UNet(3, 1, 2, (4, 8)).eval())
    images = torch.randn(2, 1, 8, 8, 8) * torch.tensor([1.0, 5.0]).view(2, 1, 1, 1, 1)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(network(images), torch.cat([network(image[None]) for image in images]))


@_IN_BFLOAT16
@pytest.mark.parametrize("at_once", [1, 700, 5000])
@torch.inference_mode()
def test_values_do_not_depend_on_how_many_are_worked_on_at_a_time(monkeypatch, at_once):
    network = UNet(3, 2, 1, (12, 24), affine=True).eval()
    image = 3 + 2 * torch.randn(1, 2, 8, 12, 10)
    with torch.autocast("cpu", torch.bfloat16):
        expected = network(image)
        monkeypatch.setattr(channels_last, "_AT_ONCE", at_once)
        assert torch.equal(put_channels_last(network)(image), expected)
