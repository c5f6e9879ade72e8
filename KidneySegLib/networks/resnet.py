"""Residual encoders (He et al., CVPR 2016) in plain torch.

Parameters have the names and shapes of torchvision's ResNets without their classifier, so that a file of ImageNet
weights which a user has fits (``networks.encoder_weights``). As there, a bottleneck's stride lies in its second
convolution.
"""

from dataclasses import dataclass

import torch
from torch import nn

from KidneySegLib.errors import BundleError

_STEM, _WIDTHS = 64, (64, 128, 256, 512)
_EXPANSION = 4


@dataclass(frozen=True)
class ResNetKind:
    """A published residual network.

    Attributes:
        blocks: residual blocks of the four stages.
        bottleneck: whether a block is a bottleneck of three convolutions, else two convolutions.
    """

    blocks: tuple[int, int, int, int]
    bottleneck: bool

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the stem and the four stages, at 1/2, 1/4, 1/8, 1/16 and 1/32 of the image's grid."""
        return (_STEM, *(width * (_EXPANSION if self.bottleneck else 1) for width in _WIDTHS))


KINDS = {"resnet18": ResNetKind((2, 2, 2, 2), False), "resnet152": ResNetKind((3, 8, 36, 3), True)}


def resnet_kind(name: str) -> ResNetKind:
    """Returns a residual network by its name.

    Raises:
        BundleError: this version has none of this name.
    """
    if name not in KINDS:
        raise BundleError(
            "The bundle asks for the encoder '{name}', which this version of KidneySeg does not have. "
            "Update KidneySeg.",
            name=name,
        )
    return KINDS[name]


class ResNet(nn.Module):
    """Images ``(batch, inputs, j, i)`` to the features of the stem and of the four stages.

    Sizes along j and i must be multiples of 32.
    """

    def __init__(self, kind: ResNetKind, inputs: int, *, dilated: bool = False) -> None:
        """Builds the encoder with random weights.

        Args:
            kind: which one.
            inputs: number of channels of the image.
            dilated: whether the last stage keeps the grid of the one before (1/16) and dilates its kernels instead.
        """
        super().__init__()
        self.kind = kind
        self.conv1 = nn.Conv2d(inputs, _STEM, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(_STEM)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        block = _Bottleneck if kind.bottleneck else _Basic
        before = _STEM
        for number, (width, count) in enumerate(zip(_WIDTHS, kind.blocks, strict=True), start=1):
            last = dilated and number == len(_WIDTHS)
            stride = 1 if number == 1 or last else 2
            stage = [block(before, width, stride, 1)]
            before = width * block.expansion
            stage += [block(before, width, 1, 2 if last else 1) for _ in range(count - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*stage))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Returns features, the finest first."""
        features = [self.relu(self.bn1(self.conv1(image)))]
        values = self.maxpool(features[0])
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            values = stage(values)
            features.append(values)
        return features


class _Block(nn.Module):
    """A shortcut around convolutions; the shortcut is a convolution where grid or channels change."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        outputs = width * self.expansion
        self.downsample: nn.Module | None = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def residual(self, values: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        shortcut = values if self.downsample is None else self.downsample(values)
        result: torch.Tensor = self.relu(self.residual(values) + shortcut)
        return result


class _Basic(_Block):
    """Two convolutions of width 3."""

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        super().__init__(inputs, width, stride)
        self.conv1 = _convolution(inputs, width, stride, dilation)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 1, dilation)
        self.bn2 = nn.BatchNorm2d(width)

    def residual(self, values: torch.Tensor) -> torch.Tensor:
        values = self.relu(self.bn1(self.conv1(values)))
        result: torch.Tensor = self.bn2(self.conv2(values))
        return result


class _Bottleneck(_Block):
    """A convolution of width 3 between two of width 1."""

    expansion = _EXPANSION

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        super().__init__(inputs, width, stride)
        self.conv1 = nn.Conv2d(inputs, width, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, stride, dilation)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * self.expansion, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * self.expansion)

    def residual(self, values: torch.Tensor) -> torch.Tensor:
        values = self.relu(self.bn1(self.conv1(values)))
        values = self.relu(self.bn2(self.conv2(values)))
        result: torch.Tensor = self.bn3(self.conv3(values))
        return result


def _convolution(inputs: int, outputs: int, stride: int, dilation: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=dilation, dilation=dilation, bias=False)
