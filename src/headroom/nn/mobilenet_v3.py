"""The feature extractor of MobileNetV3-Large, with torchvision's key names.

Source: Howard et al. 2019, "Searching for MobileNetV3", table 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, cast

from torch import Tensor, nn

from headroom.weights.reader import load_into, read_state_dict, without_prefix

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean RGB code of the pictures that the encoder was trained on; inputs are (code - mean) / deviation."""

IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


class _Bottleneck(NamedTuple):
    """One row of table 1."""

    kernel: int
    expanded: int
    channels: int
    squeeze: bool
    activation: type[nn.Module]
    stride: int


_RELU, _SWISH = nn.ReLU, nn.Hardswish
_TABLE = (
    _Bottleneck(3, 16, 16, False, _RELU, 1),
    _Bottleneck(3, 64, 24, False, _RELU, 2),
    _Bottleneck(3, 72, 24, False, _RELU, 1),
    _Bottleneck(5, 72, 40, True, _RELU, 2),
    _Bottleneck(5, 120, 40, True, _RELU, 1),
    _Bottleneck(5, 120, 40, True, _RELU, 1),
    _Bottleneck(3, 240, 80, False, _SWISH, 2),
    _Bottleneck(3, 200, 80, False, _SWISH, 1),
    _Bottleneck(3, 184, 80, False, _SWISH, 1),
    _Bottleneck(3, 184, 80, False, _SWISH, 1),
    _Bottleneck(3, 480, 112, True, _SWISH, 1),
    _Bottleneck(3, 672, 112, True, _SWISH, 1),
    _Bottleneck(5, 672, 160, True, _SWISH, 2),
    _Bottleneck(5, 960, 160, True, _SWISH, 1),
    _Bottleneck(5, 960, 160, True, _SWISH, 1),
)

FEATURE_CHANNELS = (16, *(row.channels for row in _TABLE), 960)
"""Channels of each of the 17 feature maps."""


class ConvNormActivation(nn.Sequential):
    """Convolution, BatchNorm and an activation, or none."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: type[nn.Module] | None = None,
    ) -> None:
        convolution = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False)
        # The paper's own training used these BatchNorm constants, and so did the released weights.
        norm = nn.BatchNorm2d(out_channels, eps=0.001, momentum=0.01)
        super().__init__(convolution, norm, *([activation()] if activation else []))


class SqueezeExcitation(nn.Module):
    """Scale each channel by a number from 0 to 1 that depends on the whole picture (section 5.3)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = _multiple_of_8(channels / 4)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.relu = nn.ReLU()
        self.hard_sigmoid = nn.Hardsigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled N x C x H x W."""
        scale = self.relu(self.fc1(x.mean((2, 3), keepdim=True)))  # N x C/4 x 1 x 1
        return x * cast(Tensor, self.hard_sigmoid(self.fc2(scale)))


class InvertedResidual(nn.Module):
    """Expand, filter each channel, squeeze-excite, project; added to the input where the shapes agree."""

    def __init__(
        self,
        in_channels: int,
        expanded: int,
        out_channels: int,
        *,
        kernel: int,
        stride: int,
        squeeze: bool,
        activation: type[nn.Module],
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if expanded != in_channels:
            layers.append(ConvNormActivation(in_channels, expanded, activation=activation))
        layers.append(
            ConvNormActivation(expanded, expanded, kernel=kernel, stride=stride, groups=expanded, activation=activation)
        )
        if squeeze:
            layers.append(SqueezeExcitation(expanded))
        layers.append(ConvNormActivation(expanded, out_channels))
        self.block = nn.Sequential(*layers)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return N x out_channels x H/stride x W/stride."""
        y = cast(Tensor, self.block(x))
        return x + y if self.residual else y


class MobileNetV3Features(nn.Sequential):
    """Stages 0 to 16 of MobileNetV3-Large: N x 3 x H x W, ImageNet-normalised, to N x 960 x H/32 x W/32."""

    def __init__(self) -> None:
        stages: list[nn.Module] = [ConvNormActivation(3, 16, kernel=3, stride=2, activation=_SWISH)]
        for in_channels, row in zip(FEATURE_CHANNELS, _TABLE, strict=False):
            stages.append(
                InvertedResidual(
                    in_channels,
                    row.expanded,
                    row.channels,
                    kernel=row.kernel,
                    stride=row.stride,
                    squeeze=row.squeeze,
                    activation=row.activation,
                )
            )
        stages.append(ConvNormActivation(160, 960, activation=_SWISH))
        super().__init__(*stages)

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return the output of every stage."""
        maps = []
        for stage in self:
            x = stage(x)
            maps.append(x)
        return maps


def load_imagenet_encoder(network: MobileNetV3Features, path: Path) -> None:
    """Load a safetensors file with torchvision's key names: the whole classifier or its `features` only.

    Raises:
        WeightsError: The file is missing, damaged or holds another network.
    """
    load_into(network, without_prefix(read_state_dict(path), "features."), str(path))


def _multiple_of_8(channels: float) -> int:
    """Round to a multiple of 8, at least 8 and never below 90 % of the number."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8
