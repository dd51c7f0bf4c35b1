"""LEDiff with parts that have not learned: what those of the latent prior do in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import lediff_tiny
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from headroom.colour.transfer import decode
from headroom.methods import load
from headroom.methods.lediff.ablations import inpainted, redrawn
from headroom.methods.lediff.expose import expose
from headroom.methods.lediff.exposer import ExposeOptions, Exposer, Part, build_exposer
from headroom.methods.lediff.names import own_names, shipped
from headroom.methods.lediff.network import build
from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.schedule import signal_shares
from headroom.nn.latent.settings import LatentPriorSettings
from headroom.restore.network import load_network
from headroom.weights.reader import load_into

ABLATIONS: Mapping[str, tuple[Part, ...]] = {"no_decoder": ("denoiser",), "no_denoiser": ("decoder",), "inpainting": ()}


def exposer_of(tiny_prior: LatentPriorSettings, *trained: Part) -> Exposer:
    torch.manual_seed(0)
    return build_exposer(replace(lediff_tiny.settings(tiny_prior), trained=trained)).eval()


def latents(count: int = 1, seed: int = 0) -> Tensor:
    return torch.randn(count, 4, 4, 8, generator=torch.Generator().manual_seed(seed))


def nothing(_share: float) -> None:
    pass


@torch.no_grad()
@pytest.mark.parametrize(("draw", "timestep"), [("redrawn", 499), ("inpainted", 999)])
def test_a_denoiser_that_sees_no_noise_takes_all_for_the_picture(
    tiny_prior: LatentPriorSettings, draw: str, timestep: int
) -> None:
    exposer = exposer_of(tiny_prior)
    nn.init.zeros_(exposer.denoiser.conv_out.weight)
    nn.init.zeros_(exposer.denoiser.conv_out.bias)
    given, generator = latents(2), torch.Generator().manual_seed(5)
    if draw == "redrawn":
        found = redrawn(exposer, given, 8, generator, nothing)
    else:
        found = inpainted(exposer, given, torch.ones(2, 3, 32, 64), 8, generator, nothing)
    share = signal_shares()[timestep]
    torch.testing.assert_close(
        found, (given + ((1 - share) / share).sqrt() * latents(1, 5)).float(), rtol=1e-4, atol=1e-3
    )


@torch.no_grad()
def test_what_a_photo_shows_is_not_painted_over(tiny_prior: LatentPriorSettings) -> None:
    exposer = exposer_of(tiny_prior)
    lost = torch.zeros(1, 3, 32, 64)
    lost[:, 1, 12, 33] = 0.2  # of one cell of latents, in its second row and fifth column
    told: list[float] = []
    found = inpainted(exposer, latents(), lost, 4, torch.Generator(), told.append)
    changed = (found != latents()).any(1)
    assert changed.nonzero().tolist() == [[0, 1, 4]]
    assert told == [0.25, 0.5, 0.75, 1.0]
    assert torch.equal(inpainted(exposer, latents(), None, 4, torch.Generator(), nothing), latents())


@torch.no_grad()
@pytest.mark.parametrize(("trained", "count"), [((), 1), (("decoder",), 4), (("denoiser",), 4)])
def test_inpainting_makes_no_exposures(tiny_prior: LatentPriorSettings, trained: Sequence[Part], count: int) -> None:
    exposer, told = exposer_of(tiny_prior, *trained), list[float]()
    options = ExposeOptions(exposures=3, steps=2)
    found = expose(exposer, latents(2), "shadows", options, torch.Generator(), told.append)
    assert found.shape == (2, count, 4, 4, 8)
    assert torch.equal(found[:, 0], latents(2))
    assert told == sorted(told)


def test_an_untrained_decoder_gives_codes(tiny_prior: LatentPriorSettings) -> None:
    codes = torch.linspace(-0.2, 1.2, 29).view(1, 1, 1, -1)
    for trained in ((), ("denoiser",)):
        exposer = exposer_of(tiny_prior, *trained)
        light = decode(np.clip(codes.numpy(), 0, 1), "srgb")
        np.testing.assert_allclose(exposer.light_of(codes).numpy(), light, rtol=1e-5, atol=1e-7)
        exposures = torch.stack([latents(1, seed) for seed in range(3)], dim=1)
        torch.testing.assert_close(exposer.fusion(exposures), exposures.mean(1))


@torch.no_grad()
@pytest.mark.parametrize("name", ABLATIONS)
def test_the_other_parts_are_those_of_the_prior(tiny_prior: LatentPriorSettings, name: str) -> None:
    trained = ABLATIONS[name]
    torch.manual_seed(1)
    prior = LatentPrior.of(tiny_prior)
    learned = lediff_tiny.network(tiny_prior).state_dict()
    files = dict(prior.state_dict())
    if "decoder" in trained:
        files |= shipped(learned, "decoder", "highlights")
    if "denoiser" in trained:
        files |= {key: value for key, value in learned.items() if ".denoiser." in key}
    network = build(replace(lediff_tiny.settings(tiny_prior), trained=trained, anchor=None))
    load_into(network, own_names(files), name)
    at = torch.tensor([300])
    for exposer in (network.highlights, network.shadows):
        assert exposer is not None
        if "denoiser" not in trained:
            torch.testing.assert_close(exposer.predict_noise(latents(), at), prior.predict_noise(latents(), at))
        same = torch.allclose(exposer.decode(latents()), prior.decode(latents()), atol=1e-5)
        assert same == ("decoder" not in trained)


def test_presets_differ_by_their_parts_alone() -> None:
    presets = load("lediff").presets
    whole = presets["no_anchor"]
    assert replace(whole.settings, anchor=presets["compact"].settings.anchor) == presets["compact"].settings
    assert set(whole.weights) < set(presets["compact"].weights)
    for name, trained in ABLATIONS.items():
        assert presets[name].settings == replace(whole.settings, trained=trained)
        assert presets[name].capabilities == whole.capabilities
        assert set(presets[name].weights) < set(whole.weights)


def test_the_files_that_ship_are_all_that_an_ablation_needs() -> None:
    for name in ABLATIONS:
        assert load_network("lediff", name, None, torch.device("cpu")).weights_sha256
