"""The noise schedule of Stable Diffusion, and the few of its steps that sampling visits.

Sources: Ho et al. 2020, "Denoising Diffusion Probabilistic Models", eq. 4 to 7; the visited steps and their betas are
those of Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", section 4. A signal share is
their alpha-bar: the part of a noisy latent's variance that is not noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

STEPS = 1000
BETAS = (0.00085, 0.012)
"""Share of the variance that the first and the last step replace by noise; their roots are linear between."""


def signal_shares() -> Tensor:
    """Give the signal share after each of the 1000 steps, float64."""
    low, high = (beta**0.5 for beta in BETAS)
    return (1 - torch.linspace(low, high, STEPS, dtype=torch.float64) ** 2).cumprod(0)


def spaced_timesteps(steps: int) -> list[int]:
    """Choose `steps` of the 1000 steps, evenly from 0 to 999 and in ascending order; a single one is 999."""
    if steps == 1:
        return [STEPS - 1]
    return [round(i * (STEPS - 1) / (steps - 1)) for i in range(steps)]


@dataclass(frozen=True, slots=True)
class SpacedSchedule:
    """The steps that sampling visits, K in ascending order of noise; all tensors are float64.

    Attributes:
        timesteps: Their numbers among the 1000.
        signal_shares: K, share of the signal at each.
        betas: K, share of the variance that each replaces by noise, coming from the one below.
    """

    timesteps: tuple[int, ...]
    signal_shares: Tensor
    betas: Tensor

    def noised(self, clean: Tensor, noise: Tensor, number: int) -> Tensor:
        """Mix noise into latents as at the visited step `number`, 0 to K - 1; at -1 they stay clean."""
        share = float(self.signal_shares[number]) if number >= 0 else 1.0
        return math.sqrt(share) * clean + math.sqrt(1 - share) * noise


def trailing_timesteps(steps: int) -> list[int]:
    """Choose `steps` of the 1000 steps, evenly down from 999 and not as far as 0, where hardly anything is left to do.

    Source: Lin et al. 2024, "Common Diffusion Noise Schedules and Sample Steps are Flawed", section 3.3.
    """
    return [round((i + 1) * STEPS / steps) - 1 for i in range(steps)]


def spaced_schedule(steps: int) -> SpacedSchedule:
    """Make the schedule of `spaced_timesteps(steps)`."""
    return schedule_of(spaced_timesteps(steps))


def schedule_of(timesteps: Sequence[int]) -> SpacedSchedule:
    """Make the schedule of some of the 1000 steps, in ascending order."""
    shares = signal_shares()[list(timesteps)]
    below = torch.cat((shares.new_ones(1), shares[:-1]))
    return SpacedSchedule(tuple(timesteps), shares, 1 - shares / below)


def noised(clean: Tensor, noise: Tensor, timestep: Tensor) -> Tensor:
    """Mix noise into N x C x h x w latents, each as at its own one of the 1000 steps, N int64."""
    share = signal_shares().to(clean)[timestep].view(-1, 1, 1, 1)
    return share.sqrt() * clean + (1 - share).sqrt() * noise


def normal_like(x: Tensor, generator: torch.Generator) -> Tensor:
    """Draw normal numbers of x's shape where the generator lives, so that every device gets the same."""
    drawn = torch.randn(x.shape, generator=generator, device=generator.device)
    return drawn.to(x)
