"""Builds a network from what a plan says. The only place that knows architectures by name."""

from collections.abc import Mapping

import torch

from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.errors import BundleError
from KidneySegLib.networks.deeplab import DeepLabV3Plus
from KidneySegLib.networks.fused import FusedNetworks
from KidneySegLib.networks.linknet import LinkNet
from KidneySegLib.networks.monai_unet import MonaiUNet
from KidneySegLib.networks.nnunet import NnUNet
from KidneySegLib.networks.resnet import resnet_kind
from KidneySegLib.networks.unet import UNet

_UNETS, _DEEPLAB, _LINKNET, _FUSED = ("unet2d", "unet3d"), "deeplabv3plus2d", "linknet2d", "fused2d"
# nnU-Net's networks: whether the way down is made of residual blocks
_NNUNETS = {
    f"nnunet-{kind}{dimensions}d": kind == "residual" for kind in ("plain", "residual") for dimensions in (2, 3)
}
_MONAI = ("monai-unet2d", "monai-unet3d")


def build_network(plan: NetworkPlan) -> torch.nn.Module:
    """Returns a network with random weights.

    It takes images ``(batch, inputs, k, j, i)`` and gives logits ``(batch, outputs, k, j, i)``; a 2D network has no k.

    Raises:
        BundleError: the architecture is not known to this version, or its topology is missing or not its own.
    """
    inputs, outputs, topology = len(plan.inputs), len(plan.outputs), plan.topology
    if plan.architecture in _UNETS and plan.filters:
        return UNet(plan.dimensions, inputs, outputs, plan.filters, affine=plan.affine)
    if plan.architecture in _NNUNETS and topology is not None:
        residual = _NNUNETS[plan.architecture]
        return NnUNet(plan.dimensions, inputs, outputs, plan.filters, topology, residual=residual)
    if plan.architecture in _MONAI and topology is not None and set(topology.decoder) == {1}:
        return MonaiUNet(plan.dimensions, inputs, outputs, plan.filters, topology)
    if plan.architecture in (_DEEPLAB, _LINKNET) and plan.encoder:
        return _on_encoder(plan.architecture, plan.encoder, plan)
    if (
        plan.architecture == _FUSED
        and plan.branches
        and {b.architecture for b in plan.branches} <= {_DEEPLAB, _LINKNET}
    ):
        branches = [_on_encoder(branch.architecture, branch.encoder, plan) for branch in plan.branches]
        return FusedNetworks(branches, outputs)
    raise BundleError(
        "The bundle asks for the network '{network}', which this version of KidneySeg does not have. Update KidneySeg.",
        network=plan.architecture,
    )


def _on_encoder(architecture: str, encoder: str, plan: NetworkPlan) -> torch.nn.Module:

    kind: type[torch.nn.Module] = DeepLabV3Plus if architecture == _DEEPLAB else LinkNet
    return kind(resnet_kind(encoder), len(plan.inputs), len(plan.outputs))


def parameters(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Returns every learnt value of a network by its name; counters of batches are none."""
    return {name: value.detach() for name, value in network.state_dict().items() if value.is_floating_point()}


def load_parameters(network: torch.nn.Module, values: Mapping[str, torch.Tensor]) -> None:
    """Puts ``values`` (as from ``parameters``) into a network.

    Raises:
        BundleError: names or shapes differ.
    """
    own = parameters(network)
    fits = own.keys() == values.keys() and all(own[name].shape == value.shape for name, value in values.items())
    if not fits:
        raise BundleError("The weights do not fit the network that the plan describes. Get the bundle again.")
    for name, value in own.items():
        value.copy_(values[name])
