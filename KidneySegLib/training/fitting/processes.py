"""Several processes that train one network, one for each GPU, through torch's DistributedDataParallel.

``torchrun`` starts them and says in the environment which is which. Every step's batch is divided among them; their
gradients are averaged. The part of the loss that is a Dice is then the mean over the processes' parts of the batch.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from KidneySegLib.errors import InputError


def join() -> None:
    """Joins the other processes, if ``torchrun`` started several; called once, before a device is chosen."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized():
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def leave() -> None:
    """Leaves the other processes, so that none waits for this one."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def count() -> int:
    """Returns how many processes train."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Returns the number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Whether this process validates and writes."""
    return rank() == 0


@contextmanager
def first_alone() -> Iterator[None]:
    """Lets the first process do what follows before the others: they find its files and need not write them."""
    if count() > 1 and not is_first():
        distributed.barrier()
    yield
    if count() > 1 and is_first():
        distributed.barrier()


def own_device(device: str) -> str:
    """Returns the device of this process: with ``auto`` or ``cuda`` every process has a GPU of its own."""
    if count() > 1 and device in ("auto", "cuda") and torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    return device


def spread(network: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    """Returns the network as it is called in training: its gradients are the mean over all processes."""
    if count() == 1:
        return network
    return DistributedDataParallel(network, device_ids=[device] if device.type == "cuda" else None)


def own_share(first: int, steps: int, batch: int) -> list[int]:
    """Returns the numbers of the patches that this process learns from, step after step.

    Args:
        first: step that comes first.
        steps: of the whole schedule.
        batch: patches per step of all processes together.

    Raises:
        InputError: the batch cannot be divided evenly.
    """
    if batch % count():
        raise InputError(
            f"The recipe's batch of {batch} cannot be divided among {count()} processes. Start as many as divide it."
        )
    share = batch // count()
    start = rank() * share
    return [step * batch + start + n for step in range(first, steps) for n in range(share)]


def agreed(value: float, device: torch.device) -> float:
    """Returns the first process's value in all of them."""
    if count() == 1:
        return value
    shared = torch.tensor([value], dtype=torch.float64 if device.type != "mps" else torch.float32, device=device)
    distributed.broadcast(shared, 0)
    return float(shared)
