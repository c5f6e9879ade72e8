"""Runs a network over an array on its working grid, in tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from KidneySegLib.bundles.plan import StagePlan
from KidneySegLib.segmentation.resampling import normalise

if TYPE_CHECKING:
    import torch


Tell = Callable[[float], None]


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

    def probabilities(self, hu: torch.Tensor, progress: Tell | None = None) -> torch.Tensor:
        """Returns the probability of every output, ``(outputs, k, j, i)`` 32-bit float on the CPU.

        Args:
            hu: ``(k, j, i)`` on the stage's working grid, canonical orientation.
            progress: called with the finished share after every tile; may raise to stop the run.
        """
        import torch
        from monai.inferers.utils import sliding_window_inference

        stage = fitted(self.stage, tuple(hu.shape))
        image = normalise(hu, stage.window)[None, None]
        padding = [
            (max(0, p - n) // 2, max(0, p - n) - max(0, p - n) // 2) for p, n in zip(stage.patch, hu.shape, strict=True)
        ]
        image = torch.nn.functional.pad(image, [v for pair in padding[::-1] for v in pair], value=-1.0)
        done, total = 0, tile_count(tuple(image.shape[2:]), stage)

        def run(tile: torch.Tensor) -> torch.Tensor:
            nonlocal done
            with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
                result: torch.Tensor = self.network(tile)
            done += 1
            if progress is not None:
                progress(min(1.0, done / total))
            return result.float()

        with torch.inference_mode():
            logits = sliding_window_inference(
                image,
                stage.patch,
                1,
                run,
                overlap=stage.overlap,
                mode="gaussian",
                sw_device=self.device,
                device=torch.device("cpu"),
            )
            inside = tuple(slice(p[0], p[0] + n) for p, n in zip(padding, hu.shape, strict=True))
            return torch.sigmoid(torch.as_tensor(logits)[0][(slice(None), *inside)])


def fitted(stage: StagePlan, shape: tuple[int, ...]) -> StagePlan:
    """Returns the stage with tiles no longer than ``shape`` (k, j, i) needs.

    In a slab of a few centimetres a whole tile would be mostly padding, which instance normalisation takes for image.
    """
    k, j, i = (min(p, -(-n // stage.divisor) * stage.divisor) for p, n in zip(stage.patch, shape, strict=True))
    return replace(stage, patch=(k, j, i))


def tile_count(shape: tuple[int, ...], stage: StagePlan) -> int:
    """Returns how many tiles cover ``shape`` (k, j, i), which is at least one patch in every axis."""
    from monai.data.utils import dense_patch_slices

    steps = [max(1, int(p * (1 - stage.overlap))) if p != n else p for p, n in zip(stage.patch, shape, strict=True)]
    return len(dense_patch_slices(shape, stage.patch, steps))
