from __future__ import annotations

import pytest
import torch
from torch import Tensor

from headroom.methods.sagiri.masked_sampling import PredictNoise, latent_mask, sample_masked
from headroom.nn.latent.schedule import SpacedSchedule, spaced_schedule

SCHEDULE = spaced_schedule(30)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_noise(noisy: Tensor, timestep: int) -> Tensor:
    """Any smooth function of what a denoiser gets."""
    return torch.tanh(noisy.roll(1, 3) + timestep / 1000)


def knowing(clean: Tensor) -> PredictNoise:
    """Make a denoiser that always finds the noise beside these latents."""
    shares = dict(zip(SCHEDULE.timesteps, SCHEDULE.signal_shares.tolist(), strict=True))

    def predict(noisy: Tensor, timestep: int) -> Tensor:
        share = shares[timestep]
        found: Tensor = (noisy - share**0.5 * clean) / (1 - share) ** 0.5
        return found

    return predict


def run(
    predict: PredictNoise,
    condition: Tensor,
    unknown: Tensor,
    schedule: SpacedSchedule = SCHEDULE,
    *,
    as_released: bool = False,
) -> Tensor:
    return sample_masked(predict, condition, unknown, schedule, seeded(), lambda _share: None, as_released=as_released)


def latents(seed: int = 5) -> Tensor:
    return torch.randn(2, 4, 8, 8, generator=seeded(seed))


def half() -> Tensor:
    unknown = torch.zeros(2, 1, 8, 8)
    unknown[..., 4:] = 1
    return unknown


def test_a_mask_of_zeros_gives_the_condition() -> None:
    assert torch.equal(run(some_noise, latents(), torch.zeros(2, 1, 8, 8)), latents())


@pytest.mark.parametrize("steps", [1, 2, 30])
def test_a_mask_of_ones_is_plain_sampling(steps: int) -> None:
    from headroom.nn.latent.diffusers_models import DDPMScheduler

    drawn = run(some_noise, latents(), torch.ones(2, 1, 8, 8), schedule=spaced_schedule(steps))
    reference = DDPMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        timestep_spacing="linspace",
    )
    timesteps = spaced_schedule(steps).timesteps[::-1]
    reference.set_timesteps(timesteps=list(timesteps))
    generator = seeded()
    x = torch.randn(2, 4, 8, 8, generator=generator)
    for timestep in timesteps:
        x = reference.step(some_noise(x, timestep), timestep, x, generator=generator).prev_sample
    torch.testing.assert_close(drawn, x, atol=2e-4, rtol=2e-4)


def test_a_perfect_denoiser_finds_what_it_knows() -> None:
    drawn = run(knowing(latents(6)), latents(5), half())
    assert torch.equal(drawn[..., :4], latents(5)[..., :4])
    torch.testing.assert_close(drawn[..., 4:], latents(6)[..., 4:], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("as_released", [False, True])
def test_the_denoiser_sees_known_latents_at_its_own_noise(as_released: bool) -> None:
    seen: dict[int, Tensor] = {}

    def watch(noisy: Tensor, timestep: int) -> Tensor:
        seen[timestep] = noisy[..., :40]
        return torch.zeros_like(noisy)

    condition = torch.full((1, 4, 80, 80), 3.0)
    unknown = torch.zeros(1, 1, 80, 80)
    unknown[..., 40:] = 1
    run(watch, condition, unknown, as_released=as_released)
    for number, timestep in list(enumerate(SCHEDULE.timesteps))[:-1]:
        share = float(SCHEDULE.signal_shares[number + as_released])
        assert float(seen[timestep].mean()) == pytest.approx(3 * share**0.5, abs=0.05)
        assert float(seen[timestep].var()) == pytest.approx(1 - share, rel=0.06)


def test_the_released_variant_leaves_noise_in_known_latents() -> None:
    condition = torch.zeros(1, 4, 80, 80)
    drawn = run(some_noise, condition, torch.zeros(1, 1, 80, 80), as_released=True)
    assert float(drawn.var()) == pytest.approx(1 - 0.99915, rel=0.02)


def test_a_cell_is_unknown_when_one_of_its_pixels_is() -> None:
    unknown = torch.zeros(1, 1, 32, 40)
    unknown[..., 15, 16] = 1
    expected = torch.zeros(4, 5)
    expected[1, 2] = 1
    assert torch.equal(latent_mask(unknown, 8)[0, 0], expected)
    expected[0:3, 1:4] = 1
    assert torch.equal(latent_mask(unknown, 8, dilation=1)[0, 0], expected)


def test_progress_ends_at_one() -> None:
    shares: list[float] = []
    sample_masked(some_noise, latents(), half(), SCHEDULE, seeded(), shares.append)
    assert shares == [i / 30 for i in range(1, 31)]
