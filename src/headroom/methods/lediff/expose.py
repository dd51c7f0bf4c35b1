"""Latents of exposures that nobody took, each from those of its neighbour (LEDiff, section 3.2)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from headroom.methods.contract import Progress
from headroom.methods.lediff.ablations import expose_unadapted
from headroom.methods.lediff.exposer import Direction, ExposeOptions, Exposer
from headroom.nn.latent.sampling import make_scheduler
from headroom.nn.latent.schedule import normal_like, schedule_of, trailing_timesteps


class _Contexts(NamedTuple):
    """What a denoiser attends to, each N x L x D.

    Attributes:
        wanted: The prompt; None for what the denoiser has learned.
        unwanted: No words; None without guidance.
    """

    wanted: Tensor | None
    unwanted: Tensor | None


def expose(
    exposer: Exposer,
    photo: Tensor,
    direction: Direction,
    options: ExposeOptions,
    generator: torch.Generator,
    progress: Progress,
    lost: Tensor | None = None,
) -> Tensor:
    """Make latents of exposures beside those of a photo, N x C x h x w.

    Args:
        exposer: Makes them.
        photo: Latents that there are.
        direction: From which the others are.
        options: How many there are, and how they are made.
        generator: Draws all noise.
        progress: Told the finished share.
        lost: N x 3 x 8h x 8w, above 0 where the photo shows nothing; only an ablation looks at it.

    Returns:
        N x E x C x h x w, in ascending exposure, the photo among them.

    Raises:
        UsageError: See `LatentPrior.read`.
    """
    if "denoiser" not in exposer.trained:
        return expose_unadapted(exposer, photo, lost, options, generator, progress)
    guided = options.guidance != 1
    wanted = exposer.read([options.prompt] * len(photo))
    contexts = _Contexts(wanted, exposer.read([""] * len(photo)) if guided and wanted is not None else None)
    made = [photo]
    for number in range(options.exposures):
        told = lambda share, number=number: progress((number + share) / options.exposures)  # noqa: E731
        made.append(_next_exposure(exposer, made[-1], options, contexts, generator, told))
    return torch.stack(made[::-1] if direction == "highlights" else made, dim=1)


def _next_exposure(
    exposer: Exposer,
    condition: Tensor,
    options: ExposeOptions,
    contexts: _Contexts,
    generator: torch.Generator,
    progress: Progress,
) -> Tensor:
    """Draw the next exposure of N photos from noise; all of them get the same."""
    schedule = schedule_of(trailing_timesteps(options.steps))
    scheduler = make_scheduler(schedule, "ddim")  # a new one: what some remember of one exposure misleads the next
    x = normal_like(condition[:1], generator).expand_as(condition)
    for number in reversed(range(options.steps)):
        timestep = torch.full((len(x),), schedule.timesteps[number], device=x.device)
        noise = exposer.estimate(x, timestep, condition, contexts.wanted)
        if contexts.unwanted is not None:
            noise = exposer.estimate(x, timestep, condition, contexts.unwanted).lerp(noise, options.guidance)
        x = scheduler.step(noise, number, x).prev_sample
        progress(1 - number / options.steps)
    return x
