from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from headroom.methods.sagiri.refiner import Refiner, RefinerSettings, build_refiner
from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.settings import LatentPriorSettings

Build = Callable[..., Refiner]


@pytest.fixture
def build(tiny_prior: LatentPriorSettings) -> Build:
    def built(*, sees_mask: bool = True, heeded: bool = False) -> Refiner:
        torch.manual_seed(0)
        refiner = build_refiner(RefinerSettings(prior=tiny_prior, sees_mask=sees_mask)).eval()
        for parameter in refiner.control.parameters() if heeded else ():
            nn.init.normal_(parameter, std=0.1)
        return refiner

    return built


def latents(channels: int = 4) -> Tensor:
    return torch.randn(2, channels, 8, 8, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
@pytest.mark.parametrize("sees_mask", [False, True])
def test_a_new_refiner_is_its_prior(build: Build, sees_mask: bool) -> None:
    refiner, timestep = build(sees_mask=sees_mask), torch.tensor([3, 700])
    steered = refiner.steered_noise(latents(), timestep, latents(4 + sees_mask))
    assert torch.equal(steered, refiner.predict_noise(latents(), timestep))


@torch.no_grad()
def test_strength_weighs_the_control(build: Build) -> None:
    refiner, timestep = build(heeded=True), torch.tensor([3, 700])
    noises = [refiner.steered_noise(latents(), timestep, latents(5), strength=s) for s in (0.0, 0.5, 1.0)]
    assert torch.equal(noises[0], refiner.predict_noise(latents(), timestep))
    assert not torch.equal(noises[1], noises[0])
    assert not torch.equal(noises[1], noises[2])


@torch.no_grad()
@pytest.mark.parametrize("sees_mask", [False, True])
def test_the_mask_is_a_hint_where_it_is_seen(build: Build, sees_mask: bool) -> None:
    refiner, condition = build(sees_mask=sees_mask, heeded=True), latents()
    found = [
        refiner.steered_noise(latents(), torch.tensor([3, 700]), refiner.hint(condition, torch.full((2, 1, 8, 8), x)))
        for x in (0.0, 1.0)
    ]
    assert torch.equal(*found) != sees_mask


def test_only_the_control_learns(build: Build) -> None:
    refiner = build(heeded=True).train()
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    trial = refiner(pictures, pictures, torch.zeros(2, 1, 64, 64))
    trial.estimate.square().mean().backward()
    learns = {name for name, parameter in refiner.named_parameters() if parameter.requires_grad}
    reached = {name for name, parameter in refiner.named_parameters() if parameter.grad is not None}
    assert learns == reached
    assert {name.split(".")[0] for name in learns} == {"control"}


def test_names_are_those_of_the_prior_and_of_its_control(build: Build, tiny_prior: LatentPriorSettings) -> None:
    state = build().state_dict()
    prior = LatentPrior.of(tiny_prior).state_dict()
    assert {name for name in state if not name.startswith("control.")} == prior.keys()


@torch.no_grad()
def test_a_trial_mixes_latents_and_noise(build: Build) -> None:
    refiner = build(heeded=True)
    refiner.draws = 3
    truth, condition = torch.rand(2, 2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    unknown = torch.zeros(2, 1, 64, 64)
    unknown[0, 0, 3, 60] = 1
    torch.manual_seed(0)
    trial = refiner(truth, condition, unknown)
    clean = (trial.noisy - (1 - trial.share).sqrt() * trial.noise) / trial.share.sqrt()
    torch.testing.assert_close(clean, refiner.encode(truth).repeat(3, 1, 1, 1), atol=1e-4, rtol=1e-3)
    assert float(trial.unknown.sum()) == 3
    assert trial.unknown[::2, 0, 0, 7].all()
    assert float(trial.noise.std()) == pytest.approx(1, abs=0.05)
    torch.manual_seed(0)
    other = refiner(truth, truth, unknown)
    assert torch.equal(other.noisy, trial.noisy)
    assert not torch.equal(other.estimate, trial.estimate)


def test_the_compact_control_fits_in_its_file() -> None:
    with torch.device("meta"):
        refiner = build_refiner(RefinerSettings())
    parameters = sum(parameter.numel() for parameter in refiner.control.parameters())
    assert 2 * parameters <= 15 * 2**20
