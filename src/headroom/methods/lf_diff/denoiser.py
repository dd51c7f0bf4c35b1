"""The denoiser."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def step_embedding(step: Tensor, width: int) -> Tensor:
    """Give N x width sines and cosines of step numbers (Ho et al. 2020, appendix B)."""
    frequencies = torch.exp(torch.arange(width // 2, device=step.device) * (-math.log(10000) / (width // 2 - 1)))
    angles = step[:, None] * frequencies
    return torch.cat((angles.sin(), angles.cos()), dim=1)
