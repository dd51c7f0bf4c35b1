from __future__ import annotations

import pytest
import torch

from headroom.nn.latent.schedule import noised, normal_like, signal_shares, spaced_schedule, spaced_timesteps


def test_signal_shares_are_those_of_stable_diffusion() -> None:
    shares = signal_shares()
    assert len(shares) == 1000
    # Published in many places; rounded to the last digit.
    assert [round(float(shares[step]), 5) for step in (0, 499, 999)] == [0.99915, 0.27767, 0.00466]


def test_thirty_steps_of_a_thousand() -> None:
    steps = spaced_timesteps(30)
    assert len(steps) == 30
    assert steps[:3] == [0, 34, 69]
    assert steps[-2:] == [965, 999]


@pytest.mark.parametrize("count", [1, 2, 7, 50, 1000])
def test_steps_end_where_noise_does(count: int) -> None:
    steps = spaced_timesteps(count)
    assert len(set(steps)) == count
    assert steps == sorted(steps)
    assert steps[-1] == 999
    assert count == 1 or steps[0] == 0


def test_spaced_betas_lead_to_the_same_signal_shares() -> None:
    spaced = spaced_schedule(30)
    torch.testing.assert_close((1 - spaced.betas).cumprod(0), signal_shares()[list(spaced.timesteps)])


def test_all_steps_have_the_betas_of_the_schedule() -> None:
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    torch.testing.assert_close(spaced_schedule(1000).betas, betas)


def test_noised_latents_keep_unit_variance() -> None:
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 4, 4, 100, 100, generator=generator).unbind(0)
    steps = torch.tensor([0, 300, 700, 999])
    mixed = noised(clean, noise, steps)
    torch.testing.assert_close(mixed.var((1, 2, 3)), torch.ones(4), atol=0.03, rtol=0)
    spaced = spaced_schedule(30)
    numbers = [0, 29]
    one = torch.stack([spaced.noised(clean[i], noise[i], numbers[i]) for i in range(2)])
    other = noised(clean[:2], noise[:2], torch.tensor([spaced.timesteps[number] for number in numbers]))
    torch.testing.assert_close(one, other)
    torch.testing.assert_close(spaced.noised(clean, noise, -1), clean)


def test_noise_comes_from_the_generator_alone() -> None:
    drawn = normal_like(torch.empty(2, 3, dtype=torch.float64), torch.Generator().manual_seed(0))
    assert torch.equal(drawn, torch.randn(2, 3, generator=torch.Generator().manual_seed(0)).double())
