"""Runs a network over an array on its working grid, in tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.inference.organ_channels import Level, organ_channels
from KidneySegLib.inference.window_channels import window_channels

if TYPE_CHECKING:
    import torch

_OUTSIDE_HU = -1024.0

Tell = Callable[[float], None]


@dataclass(frozen=True)
class OrganMasks:
    """What is known of a kidney before its lesions are looked for.

    Attributes:
        organ: bool ``(k, j, i)``: the kidney with its lesions.
        kidney: bool ``(k, j, i)``: its outline.
        other: level of the patient's other kidney; None if there is none.
    """

    organ: torch.Tensor
    kidney: torch.Tensor
    other: Level | None = None


@dataclass(frozen=True)
class Predictor:
    """A stage's network, ready to run.

    Attributes:
        stage: its plan.
        network: in evaluation mode, on ``device``.
        device: torch device.
        precision: number format of the convolutions.
    """

    stage: StagePlan
    network: torch.nn.Module
    device: torch.device
    precision: torch.dtype

    def probabilities(
        self, hu: torch.Tensor, progress: Tell | None = None, organ: OrganMasks | None = None
    ) -> torch.Tensor:
        """Returns the probability of every output, ``(outputs, k, j, i)`` 32-bit float on the CPU.

        Args:
            hu: ``(k, j, i)`` on the stage's working grid, canonical orientation.
            progress: called with the finished share after every tile; may raise to stop the run.
            organ: masks like ``hu``, for a stage whose inputs are made from them.
        """
        import torch

        from KidneySegLib.networks.sliding_window import sliding_window, tile_count

        stage = fitted(self.stage, tuple(hu.shape))
        padding = [
            (max(0, p - n) // 2, max(0, p - n) - max(0, p - n) // 2) for p, n in zip(stage.patch, hu.shape, strict=True)
        ]
        around = [v for pair in padding[::-1] for v in pair]
        padded = torch.nn.functional.pad(hu, around, value=_OUTSIDE_HU)
        if organ is None:
            image = window_channels(padded, stage)
        else:
            whole, kidney = (torch.nn.functional.pad(mask, around) for mask in (organ.organ, organ.kidney))
            image = organ_channels(padded, whole, kidney, stage.spacing, organ.other)
        done, total = 0, tile_count(image.shape[1:], stage.patch, stage.overlap)

        def run(tile: torch.Tensor) -> torch.Tensor:
            nonlocal done
            with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
                result: torch.Tensor = self.network(tile.to(self.device))
            done += 1
            if progress is not None:
                progress(min(1.0, done / total))
            return result

        with torch.inference_mode():
            logits = sliding_window(image, stage.patch, stage.overlap, run)
            inside = tuple(slice(p[0], p[0] + n) for p, n in zip(padding, hu.shape, strict=True))
            result = logits[(slice(None), *inside)]
            return torch.softmax(result, dim=0) if stage.network.exclusive else torch.sigmoid(result)


def fitted(stage: StagePlan, shape: tuple[int, ...]) -> StagePlan:
    """Returns the stage with tiles no longer than ``shape`` (k, j, i) needs.

    In a slab of a few centimetres a whole tile would be mostly padding, which instance normalisation takes for image.
    An image that is tiny in every direction keeps two of the network's coarsest voxels along i: one alone has no spread
    to be normalised by.
    """
    k, j, i = (min(p, -(-n // stage.divisor) * stage.divisor) for p, n in zip(stage.patch, shape, strict=True))
    if k == j == i == stage.divisor:
        i = 2 * stage.divisor
    return replace(stage, patch=(k, j, i))
