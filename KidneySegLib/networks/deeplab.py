"""DeepLabV3+ (Chen et al., ECCV 2018) on a residual encoder, in plain torch."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from KidneySegLib.networks.resnet import ResNet, ResNetKind

# Of the paper at 1/16 of the grid: rates of the dilated convolutions, channels of context and of the fine features.
_RATES, _CONTEXT, _FINE = (6, 12, 18), 256, 48
_DROPPED = 0.1


class DeepLabV3Plus(nn.Module):
    """Images ``(batch, inputs, j, i)`` to logits ``(batch, outputs, j, i)``; sizes are multiples of 32."""

    def __init__(self, kind: ResNetKind, inputs: int, outputs: int) -> None:
        """Builds the network with random weights; arguments as for ``ResNet``."""
        super().__init__()
        _, fine, *_, coarse = kind.channels
        self.encoder = ResNet(kind, inputs, dilated=True)
        self.context = _Context(coarse)
        self.fine = nn.Sequential(*_layer(fine, _FINE, 1))
        self.decoder = nn.Sequential(*_layer(_CONTEXT + _FINE, _CONTEXT, 3), *_layer(_CONTEXT, _CONTEXT, 3))
        self.head = nn.Conv2d(_CONTEXT, outputs, kernel_size=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Returns logits."""
        _, fine, *_, coarse = self.encoder(image)
        fine = self.fine(fine)
        context = _sized(self.context(coarse), fine.shape[2:])
        return _sized(self.head(self.decoder(torch.cat((context, fine), dim=1))), image.shape[2:])


class _Context(nn.Module):
    """Atrous spatial pyramid pooling: convolutions of several dilations and the mean of the image.

    The mean has no batch normalisation, so that a batch may be one image.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        dilated = [nn.Sequential(*_layer(inputs, _CONTEXT, 3, dilation=rate)) for rate in _RATES]
        self.branches = nn.ModuleList([nn.Sequential(*_layer(inputs, _CONTEXT, 1)), *dilated])
        self.image = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(inputs, _CONTEXT, 1), nn.ReLU(inplace=True))
        self.join = nn.Sequential(*_layer((len(self.branches) + 1) * _CONTEXT, _CONTEXT, 1), nn.Dropout(_DROPPED))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        size = values.shape[2:]
        mean = self.image(values).expand(-1, -1, *size)
        result: torch.Tensor = self.join(torch.cat([*(branch(values) for branch in self.branches), mean], dim=1))
        return result


def _layer(inputs: int, outputs: int, kernel: int, dilation: int = 1) -> Sequence[nn.Module]:
    padding = dilation * (kernel // 2)
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=padding, dilation=dilation, bias=False)
    return convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def _sized(values: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    return functional.interpolate(values, size=list(size), mode="bilinear", align_corners=False)
