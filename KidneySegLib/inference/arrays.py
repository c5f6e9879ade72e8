"""From arrays to tensors and back, without a copy.

DLPack joins any NumPy with any PyTorch. Their own bridge does not: the last PyTorch for Macs with Intel processors, and
for programs that Apple's own processors translate (Rosetta), is 2.2, which knows no NumPy 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch


def tensor_of(array: np.ndarray) -> torch.Tensor:
    """Returns an array that may be written to as a tensor of the same values; they share their memory."""
    # data sets are resampled with it too, and whoever only lists them does not wait for torch
    import torch

    return torch.from_dlpack(array)


def array_of(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    """Returns a tensor of the processor's memory as an array of the same values, which is not to be written to."""
    return np.from_dlpack(tensor)
