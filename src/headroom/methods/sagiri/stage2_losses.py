"""What Sagiri's second stage learns from: noise, its frequencies and its structure (Sagiri, appendix D.2)."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.methods.sagiri.refiner import Trial
from headroom.methods.sagiri.stage1_losses import frequency_loss
from headroom.nn.ssim import ssim

STRUCTURE_WEIGHT, FREQUENCY_WEIGHT, NOISE_WEIGHT = 1.0, 0.01, 1.0
"""Weights of the three terms (Sagiri eq. 10), in pre-training."""
FINE_TUNED_NOISE_WEIGHT = 5.0
"""Weight of the squared error in fine-tuning; the released code has it."""

_VALUE_RANGE = 2.0  # of the structure's values, as in the released code

Compared = Literal["noise", "latents"]
"""What the structure is of."""


def content_reconstruction_losses(trial: Trial, *, structure_of: Compared, masked: bool) -> dict[str, Tensor]:
    """Give the three terms, not weighted: `noise`, `frequency` and `structure`.

    The released code compares the structure of noise, which has none. Of the clean latents that an estimate of the
    noise amounts to, the structure is that of the picture.

    Args:
        trial: What the refiner made of noisy latents.
        structure_of: The noise, or the clean latents.
        masked: True to judge unknown latents alone: everywhere else the noise itself stands for its estimate.
    """
    estimate, noise = trial.estimate.float(), trial.noise
    if masked:
        estimate = torch.where(trial.unknown > 0, estimate, noise)
    compared = (estimate, noise) if structure_of == "noise" else (_clean(trial, estimate), _clean(trial, noise))
    return {
        "noise": F.mse_loss(estimate, noise),
        "frequency": frequency_loss(estimate, noise),
        "structure": 1 - ssim(*compared, value_range=_VALUE_RANGE).mean(),
    }


def _clean(trial: Trial, noise: Tensor) -> Tensor:
    """Take noise out of noisy latents."""
    return (trial.noisy - (1 - trial.share).sqrt() * noise) / trial.share.sqrt()
