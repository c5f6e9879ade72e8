"""Weights of one network as the start of another that has the same body but other inputs or outputs."""

from collections.abc import Mapping

import torch

from KidneySegLib.bundles.network import NetworkPlan
from KidneySegLib.networks.factory import parameters

# A kidney that is found is healthy tissue at first; lesions begin as improbable as this, in logits.
_LESION_LOGIT = -3.0


def carried_over(
    values: Mapping[str, torch.Tensor], network: torch.nn.Module, plan: NetworkPlan
) -> dict[str, torch.Tensor]:
    """Returns ``values`` in the shapes of ``network``.

    New input channels begin without influence. Where the start told kidney from all else, new outputs that exclude each
    other begin as background (logit 0), kidney (the logit of the start) and lesions (the same, but improbable).

    Args:
        values: parameters of the start, with one output or as many as the network has.
        network: the one to be trained.
        plan: of ``network``.
    """
    carried = {}
    for name, own in parameters(network).items():
        value = values[name]
        if value.shape == own.shape:
            carried[name] = value
        elif value.ndim == own.ndim > 1 and value.shape[0] == own.shape[0]:
            grown = torch.zeros_like(own)
            grown[:, : value.shape[1]] = value
            carried[name] = grown
        else:
            carried[name] = _heads(value, own, plan)
    return carried


def _heads(value: torch.Tensor, own: torch.Tensor, plan: NetworkPlan) -> torch.Tensor:
    """Returns weights or biases of the last layer, ``(outputs, ...)``."""
    grown = torch.zeros_like(own)
    for place, output in enumerate(plan.outputs):
        if output != "background":
            grown[place] = value[0]
            if own.ndim == 1 and output != "kidney":
                grown[place] += _LESION_LOGIT
    return grown
