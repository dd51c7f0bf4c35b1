"""Where light is wrong: what the mask's head is taught to find before anyone knows the truth."""

from __future__ import annotations

import torch
from torch import Tensor

_LUMINANCE = (0.299, 0.587, 0.114)
_WRONG = 0.02
"""Error of luminance, 1.0 = full scale of the shortest frame, from which light is unreliable."""


def unreliable(light: Tensor, truth: Tensor) -> Tensor:
    """Mark where the luminance of N x 3 x H x W light is wrong, N x 1 x H x W."""
    error = (light - truth).abs() * torch.tensor(_LUMINANCE, device=light.device).view(1, 3, 1, 1)
    return (error.sum(1, keepdim=True) >= _WRONG).float()
