"""Keeps a run within the memory that there is: smaller tiles before a failure, the CPU before giving up.

Smaller tiles see less of the surroundings, so the result may be a little worse; whenever the guard steps in, a flag
says so.
"""

import ctypes
import sys
from collections.abc import Callable
from dataclasses import replace

import torch

from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.errors import ResourceError
from KidneySegLib.flags import Flag
from KidneySegLib.inference.predict import OrganMasks, Predictor, fitted
from KidneySegLib.room_in_memory import available_memory

# Bytes per voxel and per channel of the finest level while a tile runs: input, output and concatenated skip of two
# convolutions. The peak of the process rose by 34 for an 80³ tile of the kidney network in 32 bits, by 18 in bfloat16.
_BYTES_PER_VALUE = 40
# What the rest of the process needs beside the network.
_RESERVE_BYTES = 300 * 2**20
_FEWEST_VOXELS = 32
# Parameters of glibc's mallopt. Larger blocks than it allows for the first are always taken from the system.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK, _MOST_KEPT = 32 * 2**20, 2**30


def keep_freed_memory() -> None:
    """Keeps what a network's layers free for its next ones, instead of giving it back to the system at once.

    glibc would take it again page by page, which costs up to a sixth of the processor time of a network on one core.
    Other C libraries are left alone.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
        library.mallopt(_TRIM_THRESHOLD, _MOST_KEPT)


def give_back_freed_memory() -> None:
    """Gives back to the system what ``keep_freed_memory`` kept, before other work needs arrays of other sizes."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


def tile_bytes(stage: StagePlan, patch: tuple[int, int, int]) -> int:
    """Returns how much memory one tile of ``patch`` voxels takes, about."""
    k, j, i = patch
    return k * j * i * stage.network.finest_channels * _BYTES_PER_VALUE


def smaller_patch(stage: StagePlan, patch: tuple[int, int, int]) -> tuple[int, int, int] | None:
    """Returns ``patch`` with its longest axis about halved to a valid size; None if it is the smallest already."""
    longest = max(range(3), key=lambda axis: patch[axis])
    divisor = stage.divisors[longest]
    size = max(-(-_FEWEST_VOXELS // divisor) * divisor, round(patch[longest] / 2 / divisor) * divisor)
    if size >= patch[longest]:
        return None
    k, j, i = (size if axis == longest else patch[axis] for axis in range(3))
    return k, j, i


def probabilities_within_memory(
    predictor: Predictor,
    hu: torch.Tensor,
    tell: Callable[[float], None],
    available: Callable[[], int] = available_memory,
    organ: OrganMasks | None = None,
) -> tuple[torch.Tensor, list[Flag]]:
    """Runs ``predictor`` on ``hu`` (k, j, i), asking for less memory as often as it takes.

    Args:
        predictor: what to run.
        hu: on the predictor's working grid.
        tell: takes the finished share.
        available: tells the free main memory in bytes.
        organ: see ``Predictor.probabilities``.

    Returns:
        Probabilities ``(outputs, k, j, i)`` and flags for what was lowered.

    Raises:
        ResourceError: not even the smallest tile on the CPU fits.
    """
    patch, flags = predictor.stage.patch, []
    if predictor.stage.whole:
        patch = fitted(predictor.stage, tuple(hu.shape)).patch
        predictor = replace(predictor, stage=replace(predictor.stage, patch=patch))
    if predictor.device.type == "cpu":
        while tile_bytes(predictor.stage, patch) + _RESERVE_BYTES > available():
            less = smaller_patch(predictor.stage, patch)
            if less is None:
                break
            patch = less
    while True:
        if patch != predictor.stage.patch:
            flags = [_smaller_tiles(predictor.stage, patch)]
        try:
            whole = predictor.stage.whole and patch == predictor.stage.patch
            stage = replace(predictor.stage, patch=patch, whole=whole)
            return replace(predictor, stage=stage).probabilities(hu, tell, organ), flags
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
        predictor, patch = _demand_less(predictor, patch)


def _demand_less(predictor: Predictor, patch: tuple[int, int, int]) -> tuple[Predictor, tuple[int, int, int]]:
    """Returns what to try next after memory ran out."""
    less = smaller_patch(predictor.stage, patch)
    if less is not None:
        return predictor, less
    if predictor.device.type == "cpu":
        raise ResourceError(
            "There is not enough memory to run the network, even in the smallest pieces. Close other programs or use "
            "a machine with more memory."
        )
    cpu = torch.device("cpu")
    members = tuple(network.to(cpu) for network in predictor.members)
    moved = Predictor(predictor.stage, members, cpu, torch.float32)
    return moved, predictor.stage.patch


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text


def _smaller_tiles(stage: StagePlan, patch: tuple[int, int, int]) -> Flag:
    return Flag.of("memory_guard", network=stage.name, smaller=patch, usual=stage.patch)
