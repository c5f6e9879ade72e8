"""Runs a 2D network over one axial slice: working grid, CLAHE, network, back to the slice's own grid.

The order of steps is that of Pérez Martínez et al., Rev. Mex. Fís. 72 (2026) 011101. Two things are added: HU are
clipped to a window first, because raw values from -1024 to metal leave CLAHE few grey levels for soft tissue, and the
network works in millimetres, because its kidneys must not depend on the scanner's field of view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from KidneySegLib.bundles.plan import Equalisation, StagePlan
from KidneySegLib.errors import BundleError
from KidneySegLib.inference.resampling import grid_shape, resample, restore

if TYPE_CHECKING:
    import torch

AIR = -1024.0


def network_input(hu: np.ndarray, stage: StagePlan) -> np.ndarray:
    """Returns what the network sees of a slice: 32-bit float ``(j, i)`` in 0..1.

    Args:
        hu: ``(j, i)`` on the stage's working grid.
        stage: with window and equalisation.

    Raises:
        BundleError: the stage does not say how slices are equalised.
    """
    from skimage.exposure import equalize_adapthist

    plan = _equalisation(stage)
    low, high = stage.window
    grey = (np.clip(hu, low, high).astype(np.float64) - low) / (high - low)
    if np.ptp(grey) == 0:  # nothing to equalise, as in a slice of air
        return grey.astype(np.float32)
    tile = [max(1, round(plan.tile_mm / spacing)) for spacing in stage.spacing[1:]]
    return equalize_adapthist(grey, kernel_size=tile, clip_limit=plan.clip_limit).astype(np.float32)


@dataclass(frozen=True)
class SliceNetwork:
    """A 2D network, ready to run.

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

    def probability(self, hu: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
        """Returns the probability of kidney, 32-bit float ``(j, i)`` on the slice's own grid.

        Args:
            hu: one slice ``(j, i)``, rows from front to back, columns from the patient's right to left.
            spacing: of its rows (j) and columns (i) in mm.
        """
        total = np.zeros(hu.shape, np.float32)
        for scale in self.stage.scales:
            _, rows, columns = (s * scale for s in self.stage.spacing)
            shape = grid_shape((1, *hu.shape), (1.0, *spacing), (1.0, rows, columns))
            working = resample(hu[None], shape)[0].numpy()
            found = self._run(working)[None]
            total += restore(found, (1, *hu.shape))[0].numpy()
        return total / len(self.stage.scales)

    def _run(self, hu: np.ndarray) -> torch.Tensor:
        """Returns the probability on the working grid; air is added around until the network can halve the grid."""
        import torch

        missing = [-n % self.stage.divisor for n in hu.shape]
        before = [m // 2 for m in missing]
        padded = np.pad(hu, [(b, m - b) for b, m in zip(before, missing, strict=True)], constant_values=AIR)
        image = torch.from_numpy(network_input(padded, self.stage))[None, None].to(self.device)
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32),
        ):
            logits = self.network(image)
        probability = torch.sigmoid(logits.float()).cpu()[0, 0]
        return probability[before[0] : before[0] + hu.shape[0], before[1] : before[1] + hu.shape[1]]


def _equalisation(stage: StagePlan) -> Equalisation:
    if stage.equalise is None:
        raise BundleError(f"Stage '{stage.name}' does not say how slices are equalised. Choose a bundle for slices.")
    return stage.equalise
