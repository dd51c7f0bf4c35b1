"""Sample latents where a mask says so, and hold the others to a condition.

Source: Sagiri eq. 1 to 3, after Lugmayr et al. 2022, "RePaint: Inpainting using Denoising Diffusion Probabilistic
Models". Steps are numbered as a `SpacedSchedule` numbers them: K - 1 is nearly noise, -1 is clean.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.methods.contract import Progress
from headroom.nn.latent.sampling import make_scheduler
from headroom.nn.latent.schedule import SpacedSchedule, normal_like

PredictNoise = Callable[[Tensor, int], Tensor]
"""Estimates the noise in N x C x h x w latents; also given which of the 1000 steps they are at."""


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
    *,
    as_released: bool = False,
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
        as_released: True for what the released code does: after a step, known latents have the noise of the step's
            start, and the last step leaves a little in them. The paper gives them the noise of its end.
    """
    held = not bool(unknown.all())
    scheduler, steps = make_scheduler(schedule, "ddpm"), len(schedule.timesteps)
    x = normal_like(condition, generator)
    for number in reversed(range(steps)):
        noise = predict_noise(x, schedule.timesteps[number])
        x = scheduler.step(noise, number, x, generator=generator).prev_sample
        if held:
            level = number if as_released else number - 1
            known = schedule.noised(condition, normal_like(condition, generator), level)
            x = torch.where(unknown > 0, x, known)
        progress((steps - number) / steps)
    return x
