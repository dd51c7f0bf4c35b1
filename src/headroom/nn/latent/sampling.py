"""Pictures from noise: the visited steps of the schedule, crossed by diffusers' schedulers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.schedule import SpacedSchedule, spaced_schedule

Sampler = Literal["ddpm", "ddim"]
"""Adds noise at every step (Ho et al. 2020), or only at the start (Song et al. 2021)."""


def sample(
    prior: LatentPrior,
    shape: tuple[int, int, int, int],
    steps: int,
    generator: torch.Generator,
    progress: Callable[[float], None],
    *,
    sampler: Sampler = "ddpm",
    context: Tensor | None = None,
    unwanted: Tensor | None = None,
    guidance: float = 1.0,
) -> Tensor:
    """Draw latents from noise.

    Args:
        prior: Estimates the noise.
        shape: N, C, h and w of the latents.
        steps: Evaluations of the denoiser, 1 to 1000.
        generator: Draws all noise.
        progress: Told about every step.
        sampler: How steps are crossed.
        context: N x L x D; see `LatentPrior.predict_noise`.
        unwanted: The same of what is to be avoided; None without guidance.
        guidance: Weight of the one against the other (Ho and Salimans 2022, "Classifier-Free Diffusion Guidance").
    """
    schedule = spaced_schedule(steps)
    scheduler = make_scheduler(schedule, sampler)
    device = prior.latent_mean.device
    x = torch.randn(shape, generator=generator, device=generator.device).to(device)
    for number in reversed(range(steps)):
        timestep = torch.full((shape[0],), schedule.timesteps[number], device=device)
        noise = prior.predict_noise(x, timestep, context)
        if unwanted is not None:
            noise = prior.predict_noise(x, timestep, unwanted).lerp(noise, guidance)
        x = scheduler.step(noise, number, x, generator=generator).prev_sample
        progress(1 - number / steps)
    return x


def make_scheduler(schedule: SpacedSchedule, sampler: Sampler) -> Any:  # noqa: ANN401 - diffusers has no types
    """Make diffusers' scheduler of the visited steps, which it counts from 0 to K - 1.

    It gets their betas rather than their numbers: for the step below, DDIM would count 1000 / K down, which is not
    where the next visited step is.
    """
    from headroom.nn.latent.diffusers_models import DDIMScheduler, DDPMScheduler

    kind = DDPMScheduler if sampler == "ddpm" else DDIMScheduler
    steps = len(schedule.timesteps)
    scheduler = kind(num_train_timesteps=steps, trained_betas=schedule.betas.tolist(), clip_sample=False)
    scheduler.set_timesteps(steps)
    return scheduler
