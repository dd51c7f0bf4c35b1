"""One direction of LEDiff: its light, its noise, and the exposures that it makes."""

from __future__ import annotations

from dataclasses import replace

import lediff_tiny
import pytest
import torch

from headroom.errors import UsageError
from headroom.methods.lediff.expose import expose
from headroom.methods.lediff.exposer import PAPER_LEDIFF, ExposeOptions, Exposer, build_exposer
from headroom.methods.lediff.network import LEDiff
from headroom.nn.latent.schedule import noised, signal_shares
from headroom.nn.latent.settings import LatentPriorSettings

OPTIONS = ExposeOptions(exposures=2, steps=3)


@pytest.fixture(scope="module")
def exposer(tiny_prior: LatentPriorSettings) -> Exposer:
    found = lediff_tiny.network(tiny_prior).highlights
    assert found is not None
    return found


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("epsilon", [1e-3, 1e-2, 1e-5])
def test_light_comes_back_from_its_logarithm(exposer: Exposer, epsilon: float) -> None:
    exposer.epsilon = epsilon
    light = torch.exp2(torch.linspace(-20, 20, 4096, dtype=torch.float64)).view(1, 1, 64, 64)
    torch.testing.assert_close(exposer.light_of(exposer.log_of(light)), light, atol=1e-12, rtol=1e-9)
    assert exposer.light_of(torch.tensor([-1e6, 1e6])).isfinite().all()
    assert exposer.light_of(torch.tensor([-1e6])) == 0


def test_released_numbers_are_natural_logarithms(tiny_prior: LatentPriorSettings) -> None:
    paper = build_exposer(replace(lediff_tiny.settings(tiny_prior), log_range=PAPER_LEDIFF.log_range, epsilon=0.0))
    decoded = torch.linspace(-3, 5, 9)  # what the decoder gives, before it is brought to code values
    torch.testing.assert_close(paper.light_of((decoded + 1) / 2), decoded.exp())


def test_the_denoiser_sees_two_latents(exposer: Exposer) -> None:
    assert exposer.denoiser.conv_in.weight.shape[1] == 8
    latents = normal(1, 4, 8, 8)
    step = torch.tensor([400])
    one, other = (exposer.estimate(latents, step, normal(1, 4, 8, 8, seed=seed)) for seed in (1, 2))
    assert one.shape == latents.shape
    assert not torch.allclose(one, other, atol=1e-3)


@torch.no_grad()
def test_two_estimates_agree_when_both_are_right(exposer: Exposer, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever their weights, a true noise and true clean latents have to give the true noise.
    clean, noise = normal(3, 4, 4, 4), normal(3, 4, 4, 4, seed=1)
    steps = torch.tensor([0, 500, 999])
    monkeypatch.setattr(type(exposer.denoiser), "forward", lambda *_: _Sample(torch.cat((noise, clean), 1)))
    torch.testing.assert_close(exposer.estimate(noised(clean, noise, steps), steps, clean), noise, atol=1e-5, rtol=0)


@torch.no_grad()
def test_in_pure_noise_the_clean_estimate_counts(exposer: Exposer, monkeypatch: pytest.MonkeyPatch) -> None:
    # Solved for the picture, an estimate of the noise alone would be wrong by many times its own error.
    clean, noise, wrong = (normal(1, 4, 4, 4, seed=seed) for seed in range(3))
    step = torch.tensor([999])
    monkeypatch.setattr(
        type(exposer.denoiser), "forward", lambda *_: _Sample(torch.cat((noise + 0.1 * wrong, clean), 1))
    )
    noisy = noised(clean, noise, step)
    share = signal_shares()[999].float()
    solved = (noisy - (1 - share).sqrt() * exposer.estimate(noisy, step, clean)) / share.sqrt()
    assert (solved - clean).abs().mean() < 0.02
    assert (0.1 * wrong * ((1 - share) / share).sqrt()).abs().mean() > 1


class _Sample:
    """What diffusers' denoiser returns."""

    def __init__(self, sample: torch.Tensor) -> None:
        self.sample = sample


@torch.no_grad()
@pytest.mark.parametrize("count", [1, 2, 3])
def test_exposures_ascend_and_each_is_made_of_its_neighbour(exposer: Exposer, count: int) -> None:
    photo = normal(2, 4, 4, 8)
    options = replace(OPTIONS, exposures=count)
    down, up = (
        expose(exposer, photo, direction, options, torch.Generator().manual_seed(1), lambda _: None)
        for direction in ("highlights", "shadows")
    )
    assert down.shape == (2, count + 1, 4, 4, 8)
    assert torch.equal(down[:, -1], photo)
    assert torch.equal(down, up.flip(1))  # the same network both times
    # Nothing is remembered from one exposure to the next: passes on their own give the same.
    generator, made = torch.Generator().manual_seed(1), photo
    for number in range(count):
        made = expose(exposer, made, "shadows", replace(OPTIONS, exposures=1), generator, lambda _: None)[:, 1]
        torch.testing.assert_close(made, up[:, number + 1])


@torch.no_grad()
def test_progress_rises_over_all_exposures(exposer: Exposer) -> None:
    told: list[float] = []
    expose(exposer, normal(1, 4, 4, 4), "highlights", OPTIONS, torch.Generator(), told.append)
    assert told == pytest.approx([(i + 1) / 6 for i in range(6)])


def test_words_are_missed(tiny_prior: LatentPriorSettings) -> None:
    reader = build_exposer(lediff_tiny.settings(replace(tiny_prior, context_tokens=0)))
    with pytest.raises(UsageError, match=r"attends to words.*text_encoder"):
        expose(reader, normal(1, 4, 4, 4), "highlights", OPTIONS, torch.Generator(), lambda _: None)


def test_a_missing_direction_cannot_learn(exposer: Exposer) -> None:
    with pytest.raises(ValueError, match="no direction shadows"):
        LEDiff(exposer, None).train_part("denoiser", "shadows", 1)
