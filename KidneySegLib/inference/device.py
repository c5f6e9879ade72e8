"""Chooses where the networks run and in which number format."""

import re
from dataclasses import dataclass

import torch

from KidneySegLib.errors import ResourceError


@dataclass(frozen=True)
class Device:
    """A device that exists.

    Attributes:
        torch_device: for torch.
        precision: number format of the convolutions.
        name: for people and provenance.
    """

    torch_device: torch.device
    precision: torch.dtype
    name: str


def choose_device(wanted: str) -> Device:
    """Returns the device for ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        ResourceError: the name is unknown, or this machine has no such device.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?|mps", wanted):
        raise ResourceError("Unknown device '{wanted}'. Use auto, cpu, cuda, cuda:N or mps.", wanted=wanted)
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if wanted.startswith("cuda"):
        return _cuda(wanted)
    if wanted == "mps":
        if not torch.backends.mps.is_available():
            raise ResourceError("This machine has no Apple GPU that PyTorch can use. Use --device cpu.")
        return Device(torch.device("mps"), torch.float32, "mps")
    return Device(torch.device("cpu"), torch.bfloat16 if fast_bfloat16() else torch.float32, "cpu")


def fast_bfloat16() -> bool:
    """Whether this CPU computes in bfloat16; without its instructions it is emulated, up to a hundred times slower."""
    # PyTorch before 2.6 cannot be asked.
    asked = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(supported() for supported in asked if supported is not None)


def _cuda(wanted: str) -> Device:

    index = int(wanted.partition(":")[2] or 0)
    if index >= torch.cuda.device_count():
        raise ResourceError(
            "This machine has {count} CUDA GPUs that PyTorch can use; number {number} is not one of them. "
            "Use --device auto or cpu.",
            count=torch.cuda.device_count(),
            number=index,
        )
    precision = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return Device(torch.device("cuda", index), precision, f"cuda:{index} {torch.cuda.get_device_name(index)}")
