"""The mu-law tone curve of the deghosting literature, for networks and losses."""

from __future__ import annotations

import math

import torch
from torch import Tensor

MU = 5000.0  # Kalantari and Ramamoorthi 2017, eq. 5


def mu_law(linear: Tensor) -> Tensor:
    """Compress linear light >= 0, 1.0 to 1.0."""
    return torch.log1p(MU * linear) / math.log1p(MU)


def inverse_mu_law(compressed: Tensor) -> Tensor:
    """Give the linear light of mu-law values."""
    return torch.expm1(compressed * math.log1p(MU)) / MU
