"""DISTS: likeness of structure and texture in the features of VGG16, pooled without aliasing.

Ding et al. 2020, "Image quality assessment: unifying structure and texture similarity", eq. 3 to 6; the constants are
those of the authors' released code.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.nn.mobilenet_v3 import IMAGENET_DEVIATION, IMAGENET_MEAN
from headroom.nn.perceptual import LPIPS_CHANNELS, VGG16Features
from headroom.weights.reader import load_into, read_state_dict, without_prefix

_CHANNELS = [3, *LPIPS_CHANNELS]
_STABLE = 1e-6
_ROOT_FLOOR = 1e-12


class DISTS(nn.Module):
    """Distance of pictures in [0, 1]: 0 for equal ones, 1 for ones that have nothing in common; frozen."""

    mean: Tensor
    deviation: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = VGG16Features()
        self.alpha = nn.Parameter(torch.full((1, sum(_CHANNELS), 1, 1), 0.1))
        self.beta = nn.Parameter(torch.full((1, sum(_CHANNELS), 1, 1), 0.1))
        hann = torch.tensor([0.5, 1.0, 0.5]) / 2  # the inner three of a Hann window of five
        self.register_buffer("window", hann[:, None] * hann[None], persistent=False)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(IMAGENET_DEVIATION).view(3, 1, 1), persistent=False)
        self.requires_grad_(False)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return N distances of N x 3 x H x W pictures, sides of at least 16."""
        likeness = torch.zeros(len(prediction), device=prediction.device)
        weights = zip(torch.split(self.alpha, _CHANNELS, 1), torch.split(self.beta, _CHANNELS, 1), strict=True)
        maps = zip(self._maps(prediction), self._maps(target), strict=True)
        for (alpha, beta), (x, y) in zip(weights, maps, strict=True):
            mean_x, mean_y = x.mean((2, 3), keepdim=True), y.mean((2, 3), keepdim=True)
            variances = x.var((2, 3), correction=0, keepdim=True) + y.var((2, 3), correction=0, keepdim=True)
            covariance = (x * y).mean((2, 3), keepdim=True) - mean_x * mean_y
            texture = (2 * mean_x * mean_y + _STABLE) / (mean_x**2 + mean_y**2 + _STABLE)
            structure = (2 * covariance + _STABLE) / (variances + _STABLE)
            likeness = likeness + (alpha * texture + beta * structure).sum((1, 2, 3))
        return 1 - likeness / (self.alpha.sum() + self.beta.sum())

    def _maps(self, picture: Tensor) -> list[Tensor]:
        """Return the picture itself and VGG's five groups of features."""
        maps = [picture]
        x = (picture - self.mean) / self.deviation
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                maps.append(x)
                x = self._pool(x)
            else:
                x = layer(x)
        return [*maps, x]

    def _pool(self, x: Tensor) -> Tensor:
        """Halve the scale: the root of the blurred squares."""
        channels = x.shape[1]
        window = self.window.expand(channels, 1, 3, 3)
        return (F.conv2d(x.square(), window, stride=2, padding=1, groups=channels) + _ROOT_FLOOR).sqrt()


def load_dists(backbone: Path, weights: Path) -> DISTS:
    """Build DISTS from local safetensors files of torchvision's `vgg16` and of the authors' `weights.pt`.

    Raises:
        WeightsError: A file is missing, damaged or for another network.
    """
    network = DISTS()
    load_into(network.features, without_prefix(read_state_dict(backbone), "features."), str(backbone))
    stored = read_state_dict(weights)
    load_into(nn.ParameterDict({"alpha": network.alpha, "beta": network.beta}), stored, str(weights))
    return network
