from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from latent_tiny import TINY
from torch import Tensor

from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.sampling import Sampler, sample
from headroom.nn.latent.schedule import signal_shares, spaced_timesteps

SHAPE = (2, 4, 6, 5)


class Knows(LatentPrior):
    """A prior whose denoiser is a formula: (noisy latents, their signal share) to the noise."""

    formula: Callable[[Tensor, Tensor], Tensor]

    def predict_noise(self, noisy: Tensor, timestep: Tensor, context: Tensor | None = None, **_: object) -> Tensor:
        return self.formula(noisy, signal_shares().float()[timestep].view(-1, 1, 1, 1))


def knowing(formula: Callable[[Tensor, Tensor], Tensor]) -> Knows:
    prior = Knows.of(TINY)
    prior.formula = formula
    return prior


def draw(prior: LatentPrior, steps: int, sampler: Sampler, shape: tuple[int, int, int, int] = SHAPE) -> Tensor:
    return sample(prior, shape, steps, torch.Generator().manual_seed(1), lambda _: None, sampler=sampler)


@pytest.mark.parametrize("sampler", ["ddpm", "ddim"])
@pytest.mark.parametrize("steps", [1, 2, 30])
def test_who_knows_the_only_picture_draws_it(sampler: Sampler, steps: int) -> None:
    picture = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
    prior = knowing(lambda noisy, share: (noisy - share.sqrt() * picture) / (1 - share).sqrt())
    torch.testing.assert_close(draw(prior, steps, sampler), picture, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("sampler", ["ddpm", "ddim"])
def test_normal_latents_come_out_with_their_own_deviation(sampler: Sampler) -> None:
    deviation = 0.4
    prior = knowing(lambda noisy, share: noisy * (1 - share).sqrt() / (share * deviation**2 + 1 - share))
    latents = draw(prior, 200, sampler, (4, 4, 50, 50))
    assert float(latents.std()) == pytest.approx(deviation, rel=0.05)


def a_formula(noisy: Tensor, share: Tensor) -> Tensor:
    return torch.sin(3 * noisy) * (1 - share)


@pytest.mark.parametrize("sampler", ["ddpm", "ddim"])
def test_steps_are_those_of_diffusers(sampler: Sampler) -> None:
    from headroom.nn.latent.diffusers_models import DDIMScheduler, DDPMScheduler

    schedule = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False}
    if sampler == "ddpm":
        steps, scheduler = 30, DDPMScheduler(**schedule)
        scheduler.set_timesteps(timesteps=spaced_timesteps(30)[::-1])
    else:
        steps, scheduler = 1000, DDIMScheduler(**schedule)  # the number at which it counts down as we do
        scheduler.set_timesteps(1000)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(SHAPE, generator=generator)
    for timestep in scheduler.timesteps:
        noise = a_formula(x, signal_shares().float()[timestep])
        x = scheduler.step(noise, timestep, x, generator=generator).prev_sample
    torch.testing.assert_close(draw(knowing(a_formula), steps, sampler), x, atol=1e-3, rtol=1e-3)


def test_progress_rises_to_one() -> None:
    told: list[float] = []
    sample(knowing(a_formula), SHAPE, 7, torch.Generator(), told.append)
    assert told == pytest.approx([i / 7 for i in range(1, 8)])
    assert told[-1] == 1
