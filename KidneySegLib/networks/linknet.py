"""LinkNet (Chaurasia & Culurciello, VCIP 2017) on a residual encoder, in plain torch."""

from collections.abc import Sequence

import torch
from torch import nn

from KidneySegLib.networks.resnet import ResNet, ResNetKind

# Channels after the last decoder and before the logits.
_WIDTH, _HEAD = 64, 32


class LinkNet(nn.Module):
    """Images ``(batch, inputs, j, i)`` to logits ``(batch, outputs, j, i)``; sizes are multiples of 32."""

    def __init__(self, kind: ResNetKind, inputs: int, outputs: int) -> None:
        """Builds the network with random weights; arguments as for ``ResNet``."""
        super().__init__()
        _, *stages = kind.channels
        self.encoder = ResNet(kind, inputs)
        steps = zip(stages[::-1], stages[-2::-1], strict=False)
        self.decoders = nn.ModuleList(_Decoder(coarse, fine, 2) for coarse, fine in steps)
        self.last = _Decoder(stages[0], _WIDTH, 1)
        self.head = nn.Sequential(
            *_up(_WIDTH, _HEAD, 2),
            *_layer(_HEAD, _HEAD, 3),
            nn.ConvTranspose2d(_HEAD, outputs, kernel_size=2, stride=2),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Returns logits."""
        _, *links, values = self.encoder(image)
        for decoder, link in zip(self.decoders, reversed(links), strict=True):
            values = decoder(values) + link
        logits: torch.Tensor = self.head(self.last(values))
        return logits


class _Decoder(nn.Module):
    """A transposed convolution between two of width 1; most of it works on a quarter of the channels."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        narrow = inputs // 4
        self.layers = nn.Sequential(
            *_layer(inputs, narrow, 1), *_up(narrow, narrow, stride), *_layer(narrow, outputs, 1)
        )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.layers(values)
        return result


def _layer(inputs: int, outputs: int, kernel: int) -> Sequence[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def _up(inputs: int, outputs: int, stride: int) -> Sequence[nn.Module]:
    transposed = nn.ConvTranspose2d(
        inputs, outputs, kernel_size=3, stride=stride, padding=1, output_padding=stride - 1, bias=False
    )
    return transposed, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
