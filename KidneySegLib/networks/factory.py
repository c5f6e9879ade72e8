"""Builds a network from what a plan says. The only place that knows architectures by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from KidneySegLib.errors import BundleError

if TYPE_CHECKING:
    import torch

    from KidneySegLib.bundles.plan import NetworkPlan


def build_network(plan: NetworkPlan) -> torch.nn.Module:
    """Returns a network with random weights.

    It takes images ``(batch, inputs, k, j, i)`` and gives logits ``(batch, outputs, k, j, i)``; a 2D network has no k.

    Raises:
        BundleError: the architecture is not known to this version.
    """
    if plan.architecture == "unet3d":
        return _unet(plan, 3)
    if plan.architecture == "unet2d":
        return _unet(plan, 2)
    raise BundleError(
        f"The bundle asks for the network '{plan.architecture}', which this version of KidneySeg does not have. "
        "Update KidneySeg."
    )


def parameters(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Returns every learnt value of a network once.

    ``state_dict`` lists values that two modules share twice (DynUNet's skip layers do), which would double a file.
    """
    return {name: value.detach() for name, value in (*network.named_parameters(), *network.named_buffers())}


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


def _unet(plan: NetworkPlan, dimensions: int) -> torch.nn.Module:
    """U-Net with instance normalisation and leaky ReLU, as nnU-Net plans it (Isensee et al., Nat Methods 2021)."""
    from monai.networks.nets import DynUNet

    levels = len(plan.filters)
    return DynUNet(
        spatial_dims=dimensions,
        in_channels=len(plan.inputs),
        out_channels=len(plan.outputs),
        kernel_size=[3] * levels,
        strides=[1] + [2] * (levels - 1),
        upsample_kernel_size=[2] * (levels - 1),
        filters=list(plan.filters),
        norm_name=("instance", {"affine": plan.affine}),
    )
