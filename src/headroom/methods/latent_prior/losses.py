"""How far a picture that came back from latents is from what went in."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.nn.latent.prior import AUTOENCODER_FACTOR

_WINDOW_PX = 7
_FAINTEST = 1e-3
"""Strength of detail below which differences count for little; without it, flat places have no gradient."""
_FAINTEST_COLOUR = 0.01
"""Deviation of a colour below which it counts for less."""
_STEADY = 1e-6
"""Variance of the latents' own noise, without which equal latents would leave no solution."""


def gradient_error(a: Tensor, b: Tensor) -> Tensor:
    """Compare the differences of neighbouring pixels: mean absolute error, both directions."""
    error = a - b
    return error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()


def colour_error(a: Tensor, b: Tensor) -> Tensor:
    """Compare the mean colours of the 8 x 8 pixels that a cell of latents stands for: mean absolute error."""
    return F.l1_loss(F.avg_pool2d(a, AUTOENCODER_FACTOR), F.avg_pool2d(b, AUTOENCODER_FACTOR))


def readout_error(latents: Tensor, pictures: Tensor) -> Tensor:
    """Give the share of the colours of cells that no linear function of their latents gives back, 0 to 1.

    Directions of colour count alike, however rare: green against magenta varies so little in photos that an autoencoder
    may leave it out, and then neither of its halves gains anything by beginning with it.
    """
    hidden = latents.transpose(0, 1).flatten(1)  # C x cells
    colours = F.avg_pool2d(pictures, AUTOENCODER_FACTOR).transpose(0, 1).flatten(1)  # 3 x cells
    covariance = torch.cov(torch.cat((hidden, colours)))
    across = covariance[: len(hidden), len(hidden) :]
    of_hidden = _plus(covariance[: len(hidden), : len(hidden)], _STEADY)
    of_colours = covariance[len(hidden) :, len(hidden) :]
    left = of_colours - across.T @ torch.linalg.solve(of_hidden, across)
    share: Tensor = torch.linalg.solve(_plus(of_colours, _FAINTEST_COLOUR**2), left).diagonal().mean()
    return share


def _plus(covariance: Tensor, variance: float) -> Tensor:
    return covariance + variance * torch.eye(len(covariance), device=covariance.device)


def texture_error(a: Tensor, b: Tensor) -> Tensor:
    """Compare the strength of fine detail around each pixel, wherever its edges are: mean absolute error.

    A sharp guess at texture costs more than a blur by every other term; by this one it costs less.
    """
    return (_texture(a) - _texture(b)).abs().mean()


def _texture(x: Tensor) -> Tensor:
    """Give the deviation around each pixel of what a blur over 3 x 3 pixels takes away."""
    detail = x - F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    over_columns = F.avg_pool2d(detail**2, (1, _WINDOW_PX), stride=1)
    return (F.avg_pool2d(over_columns, (_WINDOW_PX, 1), stride=1) + _FAINTEST**2).sqrt()
