from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from latent_tiny import TINY
from torch import Tensor, nn

from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.schedule import noised, signal_shares
from headroom.nn.latent.settings import COMPACT, STABLE_DIFFUSION_1, STABLE_DIFFUSION_2, LatentPriorSettings


def prior_of(settings: LatentPriorSettings) -> LatentPrior:
    torch.manual_seed(0)
    return LatentPrior.of(settings).eval()


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("settings", "denoiser"), [(STABLE_DIFFUSION_1, 859_520_964), (STABLE_DIFFUSION_2, 865_910_724)]
)
def test_stable_diffusion_has_as_many_parameters_as_published(settings: LatentPriorSettings, denoiser: int) -> None:
    with torch.device("meta"):
        prior = LatentPrior.of(settings)
    assert parameters(prior.denoiser) == denoiser
    assert len(prior.denoiser.state_dict()) == 686
    assert parameters(prior.autoencoder) == 83_653_863
    assert len(prior.autoencoder.state_dict()) == 248
    assert parameters(prior) == denoiser + 83_653_863
    assert prior.size_multiple == 64


def test_the_compact_prior_is_small_enough_to_ship() -> None:
    with torch.device("meta"):
        prior = LatentPrior.of(COMPACT)
    assert parameters(prior.denoiser) <= 12_000_000
    assert 2 * parameters(prior.denoiser) < 15_000_000  # bytes of a file in float16
    assert 2 * parameters(prior) < 32_000_000
    assert prior.size_multiple == 32


@torch.no_grad()
def test_the_compact_prior_has_cells_of_eight_pixels() -> None:
    prior = prior_of(COMPACT)
    latents = prior.encode(torch.rand(2, 3, 32, 64))
    assert latents.shape == (2, 4, 4, 8)
    assert prior.decode(latents).shape == (2, 3, 32, 64)
    assert prior.predict_noise(latents, torch.tensor([5, 900])).shape == latents.shape


@torch.no_grad()
def test_latents_are_those_of_diffusers_but_for_their_scale() -> None:
    prior = prior_of(TINY)
    pictures = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    latents = prior.encode(pictures)
    theirs = 0.18215 * prior.autoencoder.encode(2 * pictures - 1).latent_dist.mode()
    torch.testing.assert_close(latents, theirs, atol=1e-5, rtol=1e-5)
    back = prior.autoencoder.decode(latents / 0.18215).sample / 2 + 0.5
    torch.testing.assert_close(prior.decode(latents), back, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_drawn_latents_spread_as_the_autoencoder_says() -> None:
    prior = prior_of(TINY)
    pictures = torch.rand(1, 3, 16, 16).expand(4000, -1, -1, -1)
    one, other = (prior.encode(pictures, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, other)
    spread = 0.18215 * prior.posterior(pictures[:1]).deviation[0]
    torch.testing.assert_close(one.std(0), spread, rtol=0.1, atol=0)
    torch.testing.assert_close(one.mean(0), prior.encode(pictures[:1])[0], atol=0.02, rtol=0)


@torch.no_grad()
def test_what_training_measured_normalises_and_is_stored() -> None:
    prior = prior_of(replace(TINY, latent_deviation=None))
    assert {"latent_mean", "latent_deviation"} <= prior.state_dict().keys()
    assert not {"latent_mean", "latent_deviation"} & prior_of(TINY).state_dict().keys()
    pictures = torch.rand(1, 3, 16, 16)
    before, picture = prior.encode(pictures), prior.decode(torch.zeros(1, 4, 2, 2))
    prior.latent_mean += torch.tensor([1.0, 2.0, 3.0, 4.0])
    prior.latent_deviation *= 2
    moved = prior.encode(pictures)
    torch.testing.assert_close(moved * 2 + prior.latent_mean.view(-1, 1, 1), before)
    zero = -(prior.latent_mean / prior.latent_deviation).view(1, -1, 1, 1).expand(1, 4, 2, 2)
    torch.testing.assert_close(prior.decode(zero), picture)


@torch.no_grad()
def test_noise_is_what_the_denoiser_of_diffusers_says() -> None:
    prior = prior_of(TINY)
    noisy, context, step = drawn(2, 4, 8, 8), drawn(2, 3, 12, seed=1), torch.tensor([10, 900])
    torch.testing.assert_close(
        prior.predict_noise(noisy, step, context), prior.denoiser(noisy, step, context).sample, atol=1e-5, rtol=1e-5
    )


@torch.no_grad()
def test_a_velocity_becomes_the_noise_it_stands_for() -> None:
    prior = prior_of(replace(TINY, prediction="v_prediction"))
    noisy, step = drawn(2, 4, 8, 8), torch.tensor([10, 900])
    context = drawn(2, 3, 12, seed=1)
    velocity = prior.denoiser(noisy, step, context).sample
    share = signal_shares().float()[step].view(-1, 1, 1, 1)
    # Salimans and Ho 2022: v = sqrt(share) noise - sqrt(1 - share) clean.
    clean = share.sqrt() * noisy - (1 - share).sqrt() * velocity
    noise = prior.predict_noise(noisy, step, context)
    torch.testing.assert_close(noised(clean, noise, step), noisy, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(share.sqrt() * noise - (1 - share).sqrt() * clean, velocity, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_learned_context_stands_where_words_would() -> None:
    prior = prior_of(replace(TINY, context_tokens=3))
    noisy, step = drawn(2, 4, 8, 8), torch.tensor([10, 900])
    assert prior.learned_context is not None
    given = prior.learned_context.expand(2, -1, -1)
    assert torch.equal(prior.predict_noise(noisy, step), prior.predict_noise(noisy, step, given))
    assert not torch.equal(prior.predict_noise(noisy, step), prior.predict_noise(noisy, step, given + 1))
    with pytest.raises(ValueError, match="give it a context"):
        prior_of(TINY).predict_noise(noisy, step)


@torch.no_grad()
def test_additions_reach_the_denoiser() -> None:
    prior = prior_of(TINY)
    noisy, step, context = drawn(2, 4, 8, 8), torch.tensor([10, 900]), drawn(2, 3, 12, seed=1)
    shapes = [(8, 8, 8), (8, 8, 8), (8, 4, 4), (16, 4, 4)]
    middle = torch.zeros(2, 16, 4, 4)
    skips = [torch.zeros(2, *shape) for shape in shapes]
    plain = prior.predict_noise(noisy, step, context)
    assert torch.equal(prior.predict_noise(noisy, step, context, skips=skips, middle=middle), plain)
    assert not torch.equal(prior.predict_noise(noisy, step, context, skips=skips, middle=middle + 1), plain)
    skips[1] = skips[1] + 1
    assert not torch.equal(prior.predict_noise(noisy, step, context, skips=skips, middle=middle), plain)


def test_each_of_many_prompts_is_read_once() -> None:
    prior, asked = prior_of(TINY), []
    assert prior_of(replace(TINY, context_tokens=3)).read(["lamp"]) is None

    def words(prompts: Sequence[str]) -> Tensor:
        asked.extend(prompts)
        return torch.tensor([[[float(len(prompt))]] for prompt in prompts])

    prior.words = words
    read = prior.read(["lamp", "", "lamp", "sea"])
    assert read is not None
    assert read.flatten().tolist() == [4, 0, 4, 3]
    assert asked == ["lamp", "", "sea"]
