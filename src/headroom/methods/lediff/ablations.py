"""What is drawn by a prior that never learned to tell of one exposure from another: ablations of the paper.

Beside a decoder that has learned light, each exposure is the photo drawn again. Beside the prior's own, nothing of
LEDiff is left, and what the photo does not show is inpainted.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.methods.contract import Progress
from headroom.methods.lediff.exposer import ExposeOptions, Exposer
from headroom.nn.latent.sampling import make_scheduler
from headroom.nn.latent.schedule import normal_like, schedule_of, trailing_timesteps

_REDRAWN = 0.5
"""Share of the steps by which a photo is drawn again; with all of them nothing of it would be left."""


def expose_unadapted(
    exposer: Exposer,
    photo: Tensor,
    lost: Tensor | None,
    options: ExposeOptions,
    generator: torch.Generator,
    progress: Progress,
) -> Tensor:
    """Make latents of what there is in place of exposures, N x E x C x h x w; see `expose`."""
    if "decoder" not in exposer.trained:
        return inpainted(exposer, photo, lost, options.steps, generator, progress)[:, None]
    made = [photo]
    for number in range(options.exposures):
        told = lambda share, number=number: progress((number + share) / options.exposures)  # noqa: E731
        made.append(redrawn(exposer, photo, options.steps, generator, told))
    return torch.stack(made, dim=1)


def redrawn(exposer: Exposer, photo: Tensor, steps: int, generator: torch.Generator, progress: Progress) -> Tensor:
    """Draw N photos again from latents that are half noise (Meng et al. 2022, "SDEdit").

    Args:
        exposer: Draws, at its prior's pleasure.
        photo: N x C x h x w latents.
        steps: Of the whole way from noise.
        generator: Draws the noise.
        progress: Told the finished share.
    """
    everywhere = torch.ones_like(photo, dtype=torch.bool)
    timesteps = trailing_timesteps(steps)[: max(1, round(_REDRAWN * steps))]
    return _drawn(exposer, photo, everywhere, timesteps, generator, progress)


def inpainted(
    exposer: Exposer,
    photo: Tensor,
    lost: Tensor | None,
    steps: int,
    generator: torch.Generator,
    progress: Progress,
) -> Tensor:
    """Draw what N photos do not show between what they do; nothing where `lost` is None.

    Source: Avrahami et al. 2023, "Blended Latent Diffusion", section 4.1.

    Args:
        exposer: See `redrawn`, as for what follows.
        photo: N x C x h x w latents.
        lost: N x 3 x 8h x 8w, above 0 where they show nothing.
        steps: From noise.
        generator: Draws the noise.
        progress: Told the finished share.
    """
    if lost is None:
        return photo
    cells = F.adaptive_max_pool2d(lost.amax(1, keepdim=True), photo.shape[2:])
    return _drawn(exposer, photo, cells > 0, trailing_timesteps(steps), generator, progress)


def _drawn(
    exposer: Exposer,
    photo: Tensor,
    free: Tensor,
    timesteps: Sequence[int],
    generator: torch.Generator,
    progress: Progress,
) -> Tensor:
    """Draw latents where they are free, down from the last timestep; all photos get the same noise."""
    schedule = schedule_of(timesteps)
    scheduler = make_scheduler(schedule, "ddim")
    noise = normal_like(photo[:1], generator).expand_as(photo)
    steps = len(timesteps)
    x = schedule.noised(photo, noise, steps - 1)
    for number in reversed(range(steps)):
        timestep = torch.full((len(x),), timesteps[number], device=x.device)
        drawn = scheduler.step(exposer.predict_noise(x, timestep), number, x).prev_sample
        x = torch.where(free, drawn, schedule.noised(photo, noise, number - 1))
        progress(1 - number / steps)
    return x
