"""How far a picture that came back from latents is from what went in."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.nn.latent.prior import AUTOENCODER_FACTOR

_FAINTEST_COLOUR = 0.01
"""Deviation of a colour below which it counts for less."""
_STEADY = 1e-6
"""Variance of the latents' own noise, without which equal latents would leave no solution."""


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
