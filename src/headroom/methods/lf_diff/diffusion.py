"""The diffusion of the prior: a linear schedule of 200 steps, crossed in ten by DDIM.

Sources: LF-Diff eq. 1 to 4 and 12 to 15; Song et al. 2021, "Denoising Diffusion Implicit Models", eq. 12. The schedule
and the steps are those of Jiang et al. 2023, "Low-Light Image Enhancement with Wavelet-based Diffusion Models", which
LF-Diff's settings follow in all that they state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Denoise = Callable[[Tensor, Tensor], Tensor]
"""(noisy N x Z x h x w, step number of each, N) -> the noise in it."""

STEPS = 200
_BETAS = (1e-4, 0.02)


def signal_shares() -> Tensor:
    """Give the cumulated alpha of each of the 200 steps, float32."""
    return (1 - torch.linspace(*_BETAS, STEPS, dtype=torch.float64)).cumprod(0).float()


class Noised(NamedTuple):
    """A prior on its way to noise.

    Attributes:
        prior: N x Z x h x w, noised.
        step: N step numbers, 0 to 199.
        noise: N x Z x h x w, what was mixed in.
    """

    prior: Tensor
    step: Tensor
    noise: Tensor


def noised(prior: Tensor) -> Noised:
    """Mix noise into priors, each at a random step, by torch's global generator (eq. 12)."""
    step = torch.randint(STEPS, (len(prior),), device=prior.device)
    noise = torch.randn_like(prior)
    share = signal_shares().to(prior.device)[step].view(-1, 1, 1, 1)
    return Noised(share.sqrt() * prior + (1 - share).sqrt() * noise, step, noise)


def sample(denoise: Denoise, start: Tensor, sampling_steps: int) -> Tensor:
    """Walk from `start` to the prior by deterministic DDIM; gradients flow through the whole chain.

    Args:
        denoise: The network.
        start: N x Z x h x w, what stands for noise at the end of the schedule.
        sampling_steps: Number of calls of `denoise`, a divisor of 200.
    """
    shares = signal_shares().tolist()
    stride = STEPS // sampling_steps
    x = start
    for number in range(STEPS - stride, -1, -stride):
        here, below = shares[number], shares[number - stride] if number else 1.0
        noise = denoise(x, torch.full((len(x),), number, device=x.device))
        clean = (x - (1 - here) ** 0.5 * noise) / here**0.5
        x = below**0.5 * clean + (1 - below) ** 0.5 * noise
    return x
