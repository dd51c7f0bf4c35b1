"""Sample latents where a mask says so, and hold the others to a condition.

Sources: Sagiri eq. 1 to 3, after Lugmayr et al. 2022, "RePaint: Inpainting using Denoising Diffusion Probabilistic
Models", algorithm 1. Steps are numbered as a `SpacedSchedule` numbers them: K - 1 is nearly noise, -1 is clean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.methods.contract import Progress
from headroom.nn.latent.schedule import SpacedSchedule

PredictNoise = Callable[[Tensor, int], Tensor]
"""Estimates the noise in N x C x h x w latents; also given which of the 1000 steps they are at."""


@dataclass(frozen=True, slots=True)
class Blending:
    """How known latents are held to the condition.

    Attributes:
        as_released: True for what the released code does: after a step, known latents have the noise of the step's
            start, and the last step leaves a little in them. The paper gives them the noise of its end.
        repeats: How often each stretch is sampled, so that generated places come to fit the known ones (RePaint's
            resampling); 1 goes straight down.
        jump: Length of a stretch in steps.
    """

    as_released: bool = False
    repeats: int = 1
    jump: int = 1


STRAIGHT_DOWN = Blending()


def latent_mask(unknown: Tensor, cell_px: int, *, dilation: int = 0) -> Tensor:
    """Mark the cells of latents that have an unknown pixel, or lie within `dilation` cells of one.

    Args:
        unknown: N x 1 x H x W of 0 and 1; H and W are multiples of `cell_px`.
        cell_px: Side of a cell in pixels.
        dilation: How far the mask grows, in cells.
    """
    cells = F.max_pool2d(unknown, cell_px)
    return F.max_pool2d(cells, 2 * dilation + 1, stride=1, padding=dilation)


def sample_masked(
    predict_noise: PredictNoise,
    condition: Tensor,
    unknown: Tensor,
    schedule: SpacedSchedule,
    generator: torch.Generator,
    progress: Progress,
    blending: Blending = STRAIGHT_DOWN,
) -> Tensor:
    """Draw latents from noise; where `unknown` is 0, the result is the condition itself.

    Nothing is drawn for known latents that are not there: with a mask of ones this is plain sampling, number by number.

    Args:
        predict_noise: The denoiser.
        condition: N x C x h x w clean latents.
        unknown: N x 1 x h x w, 1 where latents are generated, 0 where they are known.
        schedule: The steps that are visited.
        generator: Draws all noise.
        progress: Told about every step.
        blending: How known latents are held.
    """
    held = not bool(unknown.all())
    x = normal_like(condition, generator)
    path = list(visits(len(schedule.timesteps), blending))
    for done, (number, target) in enumerate(path, start=1):
        if target > number:
            x = _noised_again(x, schedule, number, target, generator)
        else:
            x = step_down(x, predict_noise(x, schedule.timesteps[number]), schedule, number, generator)
            if held:
                level = number if blending.as_released else target
                known = schedule.noised(condition, normal_like(condition, generator), level)
                x = torch.where(unknown > 0, x, known)
        progress(done / len(path))
    return x


def visits(steps: int, blending: Blending = STRAIGHT_DOWN) -> Iterator[tuple[int, int]]:
    """Yield where each move starts and ends: one step down, or `jump` steps up to sample a stretch once more."""
    number = steps - 1
    again = dict.fromkeys(range(0, steps - blending.jump, blending.jump), blending.repeats - 1)
    while number >= 0:
        yield number, number - 1
        number -= 1
        if again.get(number):
            again[number] -= 1
            yield number, number + blending.jump
            number += blending.jump


def step_down(x: Tensor, noise: Tensor, schedule: SpacedSchedule, number: int, generator: torch.Generator) -> Tensor:
    """Draw latents one step cleaner than `x`, given the noise in it (Ho et al. 2020, eq. 6 and 7)."""
    share, below = float(schedule.signal_shares[number]), float(schedule.shares_below[number])
    beta = float(schedule.betas[number])
    clean = (x - math.sqrt(1 - share) * noise) / math.sqrt(share)
    mean = (math.sqrt(below) * beta * clean + math.sqrt(1 - beta) * (1 - below) * x) / (1 - share)
    if number == 0:
        return mean
    return mean + math.sqrt(schedule.posterior_variance[number]) * normal_like(x, generator)


def normal_like(x: Tensor, generator: torch.Generator) -> Tensor:
    """Draw normal numbers of x's shape where the generator lives, so that every device gets the same."""
    drawn = torch.randn(x.shape, generator=generator, device=generator.device)
    return drawn.to(x)


def _noised_again(x: Tensor, schedule: SpacedSchedule, number: int, target: int, generator: torch.Generator) -> Tensor:
    """Bring latents of one step back to a noisier one."""
    kept = float(schedule.signal_shares[target]) / float(schedule.signal_shares[number])
    return math.sqrt(kept) * x + math.sqrt(1 - kept) * normal_like(x, generator)
