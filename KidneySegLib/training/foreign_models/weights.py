"""Weights of others' checkpoints: read without running anything that they hold, and turned to our order of the axes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

from KidneySegLib.bundles.limits import LARGEST_WEIGHTS
from KidneySegLib.errors import InputError

_COUNTER = "num_batches_tracked"
# Numbers of numpy, which nnU-Net's checkpoints hold beside the weights (losses, best score): they run nothing.
_SCALAR = type(np.float64(0)).__reduce__(np.float64(0))[0]
_SCALARS = [(_SCALAR, f"numpy.{module}.multiarray.scalar") for module in ("core", "_core")]


def read_checkpoint(path: Path) -> Mapping[str, Any]:
    """Reads a file of ``torch.save`` with weights alone: nothing in it is run.

    Raises:
        InputError: it is missing, damaged, too large, or holds anything but weights and numbers.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path.name} with weights. Give the folder of a finished training.")
    if path.stat().st_size > 4 * LARGEST_WEIGHTS:  # an optimiser's state lies beside the weights
        raise InputError("The file with the weights is larger than that of any network. Give the right one.")
    kinds = [np.dtype, *(type(np.dtype(name)) for name in ("float64", "float32", "int64", "int32", "bool"))]
    try:
        with torch.serialization.safe_globals([*_SCALARS, *kinds]):
            data = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError, AttributeError, TypeError) as error:
        raise InputError(
            f"{path.name} is damaged, or holds more than weights, which is not run here. Save the weights alone with "
            "torch.save(network.state_dict(), file)."
        ) from error
    if not isinstance(data, Mapping):
        raise InputError(f"{path.name} holds no weights by name. Give the checkpoint that the training wrote.")
    return data


def tensors_of(data: Any) -> dict[str, torch.Tensor]:
    """Returns the weights by name: 32-bit float, without what torch puts before the names of wrapped networks.

    Raises:
        InputError: there are none.
    """
    if not isinstance(data, Mapping):
        raise InputError("The checkpoint holds no weights by name. Give the one that the training wrote.")
    tensors = {
        str(name).removeprefix("module.").removeprefix("_orig_mod."): value.float()
        for name, value in data.items()
        if isinstance(value, torch.Tensor) and not str(name).endswith(_COUNTER)
    }
    if not tensors:
        raise InputError("The checkpoint holds no weights by name. Give the one that the training wrote.")
    return tensors


def reordered(weights: Mapping[str, torch.Tensor], order: Sequence[int]) -> dict[str, torch.Tensor]:
    """Returns the weights of a network that sees the same axes in another order.

    A convolution over exchanged axes is one with exchanged kernels, so the network says the same of every voxel.

    Args:
        weights: by name; kernels are ``(.., .., axes)``.
        order: for each new axis, the old one.
    """
    axes = (0, 1, *(axis + 2 for axis in order))
    return {
        name: value.permute(axes).contiguous() if value.ndim == len(axes) else value for name, value in weights.items()
    }
