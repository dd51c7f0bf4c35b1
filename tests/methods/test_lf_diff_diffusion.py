"""The diffusion of the prior: closed forms, and what DDIM does with a denoiser that is always right."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from headroom.methods.lf_diff.diffusion import STEPS, noised, sample, signal_shares


def test_schedule() -> None:
    shares = signal_shares()
    assert len(shares) == STEPS == 200
    assert float(shares[0]) == pytest.approx(1 - 1e-4)
    share = 1.0
    for step in range(200):
        share *= 1 - (1e-4 + (0.02 - 1e-4) * step / 199)
    assert float(shares[-1]) == pytest.approx(share)
    assert share == pytest.approx(0.132, abs=5e-4)


def test_noised_priors_hold_signal_and_noise_in_the_shares_of_their_step() -> None:
    torch.manual_seed(0)
    prior = torch.rand(64, 3, 4, 4)
    example = noised(prior)
    assert len(set(example.step.tolist())) > 32
    share = signal_shares()[example.step].view(-1, 1, 1, 1)
    assert 0.9 < float(example.noise.std()) < 1.1
    torch.testing.assert_close((example.prior - share**0.5 * prior) ** 2, (1 - share) * example.noise**2)


@pytest.mark.parametrize("sampling_steps", [1, 5, 10, 20, 200])
def test_a_perfect_denoiser_leads_from_any_start_to_the_prior(sampling_steps: int) -> None:
    torch.manual_seed(0)
    prior, start, shares, seen = torch.rand(2, 3, 4, 5), torch.randn(2, 3, 4, 5), signal_shares(), []

    def oracle(x: Tensor, step: Tensor) -> Tensor:
        seen.append(int(step[0]))
        share = shares[step].view(-1, 1, 1, 1)
        return (x - share.sqrt() * prior) / (1 - share).sqrt()

    torch.testing.assert_close(sample(oracle, start, sampling_steps), prior, rtol=0, atol=1e-4)
    stride = 200 // sampling_steps
    assert seen == list(range(200 - stride, -1, -stride))


def test_gradients_reach_every_call_of_the_denoiser() -> None:
    scales = torch.ones(10, requires_grad=True)
    calls = iter(scales)
    sample(lambda x, _step: next(calls) * 0.1 * x, torch.ones(1, 1, 1, 1), 10).sum().backward()
    assert scales.grad is not None
    assert (scales.grad != 0).all()
