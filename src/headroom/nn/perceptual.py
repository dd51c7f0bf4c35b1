"""Distances of two pictures in the features of VGG16: LPIPS, and a plain one.

Source of LPIPS: Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", eq. 1,
version 0.1.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.errors import WeightsError
from headroom.nn.mobilenet_v3 import IMAGENET_DEVIATION, IMAGENET_MEAN
from headroom.weights.reader import load_into, read_state_dict, without_prefix

# Channels of VGG16's five groups of convolutions (Simonyan and Zisserman 2015, table 1, column D).
_GROUPS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
LPIPS_CHANNELS = tuple(group[-1] for group in _GROUPS)

# The LPIPS scaling layer: ImageNet's mean and deviation for pictures in [-1, 1].
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)


class VGG16Features(nn.Sequential):
    """The convolutions of VGG16, with the key names of torchvision's `features`."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        in_channels = 3
        for group in _GROUPS:
            for channels in group:
                layers += [nn.Conv2d(in_channels, channels, 3, padding=1), nn.ReLU()]
                in_channels = channels
            layers.append(nn.MaxPool2d(2))
        super().__init__(*layers[:-1])  # Nothing reads the last pooling.

    def feature_maps(self, x: Tensor) -> list[Tensor]:
        """Return relu1_2, relu2_2, relu3_3, relu4_3 and relu5_3, each at half the scale of the one before."""
        maps = []
        for layer in self:
            if isinstance(layer, nn.MaxPool2d):
                maps.append(x)
            x = layer(x)
        return [*maps, x]


class LPIPS(nn.Module):
    """LPIPS with a VGG16 backbone; frozen, differentiable in its inputs."""

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = VGG16Features()
        self.heads = nn.ModuleList(nn.Conv2d(channels, 1, 1, bias=False) for channels in LPIPS_CHANNELS)
        self.register_buffer("shift", torch.tensor(_SHIFT).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(_SCALE).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(False)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return N distances of N x 3 x H x W pictures in [-1, 1], sides of at least 16."""
        ours = self.features.feature_maps((prediction - self.shift) / self.scale)
        theirs = self.features.feature_maps((target - self.shift) / self.scale)
        distance = torch.zeros(len(prediction), device=prediction.device)
        for head, a, b in zip(self.heads, ours, theirs, strict=True):
            # F.normalize has a gradient of 0, not NaN, where every feature is 0.
            difference = (F.normalize(a, eps=1e-10) - F.normalize(b, eps=1e-10)).square()
            distance = distance + cast(Tensor, head(difference)).mean((1, 2, 3))
        return distance


class FeatureDistance(nn.Module):
    """Mean absolute difference of two pictures' VGG16 features; frozen, differentiable in its inputs.

    The sum runs over relu1_2, 2_2, 3_3 and 4_3, as in the released training code of HDR-Transformer.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = VGG16Features()
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGENET_DEVIATION).view(3, 1, 1), persistent=False)
        self.requires_grad_(False)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return one distance of N x 3 x H x W pictures in [0, 1], sides of at least 8."""
        ours, theirs = (self.features.feature_maps((x - self.mean) / self.deviation)[:4] for x in (prediction, target))
        return torch.stack([F.l1_loss(a, b) for a, b in zip(ours, theirs, strict=True)]).sum()


def load_feature_distance(backbone: Path) -> FeatureDistance:
    """Build `FeatureDistance` from a local safetensors file of torchvision's `vgg16` (ImageNet).

    Raises:
        WeightsError: The file is missing, damaged or for another network.
    """
    network = FeatureDistance()
    load_into(network.features, without_prefix(read_state_dict(backbone), "features."), str(backbone))
    return network


def load_lpips(backbone: Path | None, heads: Path | None) -> LPIPS:
    """Build LPIPS from two local safetensors files.

    Args:
        backbone: torchvision's `vgg16` (ImageNet), whole or its `features` only.
        heads: The `lpips` package's `weights/v0.1/vgg.pth`, with its key names `lin0.model.1.weight` to `lin4...`.

    Raises:
        WeightsError: A path is not given, or its file is missing, damaged or for another network.
    """
    if backbone is None:
        raise WeightsError("LPIPS needs VGG16: give a .safetensors copy of torchvision's vgg16 ImageNet weights.")
    if heads is None:
        raise WeightsError("LPIPS needs its heads: give a .safetensors copy of weights/v0.1/vgg.pth of lpips.")
    network = LPIPS()
    load_into(network.features, without_prefix(read_state_dict(backbone), "features."), str(backbone))
    stored = {key.removeprefix("lin").replace(".model.1.", "."): value for key, value in read_state_dict(heads).items()}
    load_into(network.heads, stored, str(heads))
    return network
