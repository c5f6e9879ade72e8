"""Builds a network from what a plan says. The only place that knows architectures by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from KidneySegLib.errors import BundleError

if TYPE_CHECKING:
    import torch

    from KidneySegLib.bundles.plan import NetworkPlan


def build_network(plan: NetworkPlan) -> torch.nn.Module:
    """Returns a network with random weights: input ``(batch, 1, k, j, i)``, output logits ``(batch, outputs, k, j, i)``.

    Raises:
        BundleError: the architecture is not known to this version.
    """
    if plan.architecture == "unet3d":
        return _unet3d(plan)
    raise BundleError(
        f"The bundle asks for the network '{plan.architecture}', which this version of KidneySeg does not have. "
        "Update KidneySeg."
    )


def _unet3d(plan: NetworkPlan) -> torch.nn.Module:
    """3D U-Net with instance normalisation and leaky ReLU, as nnU-Net plans it (Isensee et al., Nat Methods 2021)."""
    from monai.networks.nets import DynUNet

    levels = len(plan.filters)
    return DynUNet(
        spatial_dims=3,
        in_channels=1,
        out_channels=len(plan.outputs),
        kernel_size=[3] * levels,
        strides=[1] + [2] * (levels - 1),
        upsample_kernel_size=[2] * (levels - 1),
        filters=list(plan.filters),
        norm_name="instance",
    )
