"""Networks in parallel whose outputs a convolution fuses (Shtaiyat & Younes, 2024), in plain torch."""

from collections.abc import Sequence

import torch
from torch import nn


class FusedNetworks(nn.Module):
    """Images ``(batch, inputs, j, i)`` to logits ``(batch, outputs, j, i)``, trained end to end."""

    def __init__(self, branches: Sequence[nn.Module], outputs: int) -> None:
        """Takes the networks; the fusion begins as the mean of their logits.

        Args:
            branches: networks with the same inputs and outputs.
            outputs: number of logits that each gives.
        """
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.fusion = nn.Conv2d(len(branches) * outputs, outputs, kernel_size=3, padding=1)
        with torch.no_grad():
            nn.init.zeros_(self.fusion.weight)
            nn.init.zeros_(self.fusion.bias)
            for number in range(len(branches)):
                for output in range(outputs):
                    self.fusion.weight[output, number * outputs + output, 1, 1] = 1 / len(branches)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Returns logits."""
        logits: torch.Tensor = self.fusion(torch.cat([branch(image) for branch in self.branches], dim=1))
        return logits
