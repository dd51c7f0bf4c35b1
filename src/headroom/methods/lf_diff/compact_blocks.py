"""LF-Diff's modules made local, so that a tile gives what the whole picture gives, and light, for a CPU.

The paper's attention sums over all pixels, its channel attention and normalisations average over them. Here each sum
runs over a window, and the others are left out.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.lf_diff.denoiser import step_embedding
from headroom.nn.residual import ResidualBlock

_WINDOW = 5
_LEAST_NORM = 1e-6


class LocalPriorIntegration(nn.Module):
    """Cross-attention of features with the prior (LF-Diff eq. 9), its sums taken over windows of 5 x 5 cells."""

    def __init__(self, channels: int, prior_channels: int, maps: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(prior_channels, maps, 3, padding=1)
        self.value = nn.Conv2d(prior_channels, maps, 3, padding=1)
        self.temperature = nn.Parameter(torch.ones(1))
        self.project = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, prior: Tensor) -> Tensor:
        """Map N x C x h x w features and N x Z x h x w prior to N x C x h x w."""
        query, key, value = self.query(x), self.key(prior), self.value(prior)
        query = query * _window_mean(query**2).add(_LEAST_NORM).rsqrt()
        key = key * _window_mean(key**2).add(_LEAST_NORM).rsqrt()
        products = key[:, :, None] * query[:, None]  # N x maps x C x h x w
        logits = _window_mean(products.flatten(1, 2)).reshape(products.shape)
        attention = (logits * self.temperature).softmax(1)
        mixed: Tensor = self.project((attention * value[:, :, None]).sum(1))
        return x + mixed


class LocalFrequencyBlock(nn.Module):
    """Treat low and high frequencies apart (LF-Diff eq. 7 and 8), the low ones at half the size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.before = ResidualBlock(channels)
        self.high = ResidualBlock(channels)
        self.low = ResidualBlock(channels)
        self.join = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map N x C x h x w, of even sides, to the same shape."""
        x = self.before(x)
        low = F.avg_pool2d(x, 2)
        high = x - _double(low)
        joined: Tensor = self.join(torch.cat((self.high(high), _double(self.low(low))), dim=1))
        return x + joined


class LocalDenoiser(nn.Module):
    """Predict the noise in a prior; a step sees one cell to each side, so ten of them ten."""

    def __init__(self, prior_channels: int, condition_channels: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.enter = nn.Conv2d(prior_channels + condition_channels, width, 3, padding=1)
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.expand = nn.Conv2d(width, 2 * width, 1)
        self.contract = nn.Conv2d(2 * width, width, 1)
        self.leave = nn.Conv2d(width, prior_channels, 1)

    def forward(self, prior: Tensor, condition: Tensor, step: Tensor) -> Tensor:
        """Return N x Z x h x w noise.

        Args:
            prior: N x Z x h x w, noised.
            condition: N x D x h x w, what is known of the scene.
            step: N step numbers.
        """
        time = self.time(step_embedding(step, self.width))[:, :, None, None]
        x = F.silu(self.enter(torch.cat((prior, condition), dim=1)) + time)
        x = x + self.contract(F.silu(self.expand(x)))
        noise: Tensor = self.leave(F.silu(x))
        return noise


def _window_mean(x: Tensor) -> Tensor:
    # On a CPU, pooling with channels last is seven times as fast.
    x = x.contiguous(memory_format=torch.channels_last)
    return F.avg_pool2d(x, _WINDOW, stride=1, padding=_WINDOW // 2, count_include_pad=False)


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
