"""ImageNet weights of residual encoders, from files that a user has; nothing is fetched or shipped.

The files are torchvision's (``resnet18-….pth``, ``resnet152-….pth``) or the same tensors as safetensors.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from KidneySegLib.errors import InputError
from KidneySegLib.networks.resnet import KINDS, ResNet

_SUFFIXES = (".pth", ".pt", ".safetensors")
_CLASSIFIER = "fc."
_COUNTER = "num_batches_tracked"


def load_encoders(network: nn.Module, folder: Path) -> list[str]:
    """Loads every residual encoder of a network from the file in ``folder`` whose name begins with the encoder's.

    A grey image counts as red, green and blue alike: the first convolution's weights are summed over the colours.

    Args:
        network: with one or several ``ResNet`` inside.
        folder: with one file for each kind of encoder.

    Returns:
        The names of the encoders, one for each that was loaded.

    Raises:
        InputError: the network has no such encoder, a file is missing, not readable, or has other tensors.
    """
    encoders = [module for module in network.modules() if isinstance(module, ResNet)]
    if not encoders:
        raise InputError("The recipe's network has no residual encoder. Leave the encoder weights out.")
    names = []
    for encoder in encoders:
        name = next(name for name, kind in KINDS.items() if kind == encoder.kind)
        _load(encoder, _read(folder, name), name)
        names.append(name)
    return names


def _read(folder: Path, name: str) -> Mapping[str, torch.Tensor]:
    files = sorted(p for p in folder.glob(f"{name}*") if p.suffix in _SUFFIXES)
    if len(files) != 1:
        raise InputError(
            f"The folder of encoder weights needs one file '{name}….pth' or '.safetensors'; it has {len(files)}."
        )
    try:
        if files[0].suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(files[0])
        values = torch.load(files[0], map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds on a damaged file
        raise InputError(f"'{files[0].name}' cannot be read as weights. Give torchvision's file of {name}.") from error
    if not isinstance(values, Mapping) or not all(isinstance(value, torch.Tensor) for value in values.values()):
        raise InputError(f"'{files[0].name}' holds no weights by name. Give torchvision's file of {name}.")
    return values


def _load(encoder: ResNet, values: Mapping[str, torch.Tensor], name: str) -> None:
    own = encoder.state_dict()
    given = {key: value for key, value in values.items() if not key.startswith(_CLASSIFIER)}
    first = given.get("conv1.weight")
    if first is not None and first.ndim == 4 and first.shape[1] == 3:
        inputs = own["conv1.weight"].shape[1]
        given["conv1.weight"] = first.sum(dim=1, keepdim=True).expand(-1, inputs, -1, -1) / inputs
    # files of torchvision's first years have no counters of batches
    needed = {key for key in own if not key.endswith(_COUNTER)}
    if not needed <= given.keys() <= own.keys() or any(own[key].shape != given[key].shape for key in given):
        raise InputError(f"The encoder weights are not those of {name}. Give torchvision's file of {name}.")
    encoder.load_state_dict({**own, **given})
