"""Weights of LEDiff: what files hold, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import lediff_tiny
import pytest
import torch

from headroom.methods.contract import ExposureBatch
from headroom.methods.lediff.exposer import DIRECTIONS
from headroom.methods.lediff.names import own_names, shipped
from headroom.methods.lediff.network import Denoised, LEDiff, build
from headroom.methods.lediff.training import LEDiffLoss, loss, prepare
from headroom.nn.gain_network import GainNetwork
from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.settings import LatentPriorSettings
from headroom.training.checkpoint import save_tensors
from headroom.weights.reader import load_into, read_state_dict

BATCH = ExposureBatch(
    torch.rand(2, 3, 3, 32, 32, generator=torch.Generator().manual_seed(0)),
    torch.tensor([[0.25, 1.0, 4.0]]).expand(2, 3),
    torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)),
    torch.tensor([2, 2]),
)


@pytest.fixture(scope="module")
def prior(tiny_prior: LatentPriorSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A latent prior's file."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("prior") / "prior.safetensors"
    save_tensors(path, LatentPrior.of(tiny_prior).state_dict())
    return path


def in_training(tiny_prior: LatentPriorSettings, settings: LEDiffLoss) -> LEDiff:
    """A network after a few steps."""
    torch.manual_seed(0)
    network = build(lediff_tiny.settings(tiny_prior))
    prepare(network, settings)
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(3):
        loss(network, BATCH, settings)["total"].backward()
        optimiser.step()
        optimiser.zero_grad()
    return network


def test_the_parts_together_are_the_whole(tiny_prior: LatentPriorSettings, prior: Path) -> None:
    start = LEDiffLoss(weights=(prior,), rank=3)
    decoder = in_training(tiny_prior, start)
    denoisers = {each: in_training(tiny_prior, start.model_copy(update={"part": "denoiser", "direction": each}))
                 for each in DIRECTIONS}  # fmt: skip
    files = [
        read_state_dict(prior),
        shipped(decoder.state_dict(), "decoder", "highlights"),
        *(shipped(network.state_dict(), "denoiser", each) for each, network in denoisers.items()),
        GainNetwork(lediff_tiny.ANCHOR).state_dict(),
    ]
    assert sum(map(len, files)) == len({name for file in files for name in file})
    whole = build(lediff_tiny.settings(tiny_prior))
    load_into(whole, own_names({name: value for file in files for name, value in file.items()}), "the files")
    assert whole.anchor is not None
    torch.testing.assert_close(dict(whole.anchor.state_dict()), files[-1])
    latents = torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    step = torch.tensor([300])
    with torch.no_grad():
        for each, trained in denoisers.items():
            ours, theirs, decodes = whole.towards(each), trained.towards(each), decoder.highlights
            assert ours is not None
            assert theirs is not None
            assert decodes is not None
            expected = theirs.estimate(latents, step, latents.flip(3))
            torch.testing.assert_close(ours.estimate(latents, step, latents.flip(3)), expected, atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(ours.encode(BATCH.truth), theirs.encode(BATCH.truth))
            torch.testing.assert_close(ours.decode(latents), decodes.decode(latents))  # one decoder for both
            torch.testing.assert_close(ours.fusion.weight_conv.weight, decodes.fusion.weight_conv.weight)


def test_a_network_in_training_can_be_used_as_it_is(tiny_prior: LatentPriorSettings, prior: Path) -> None:
    trained = in_training(tiny_prior, LEDiffLoss(part="denoiser", weights=(prior,), rank=2))
    whole = build(lediff_tiny.settings(tiny_prior))
    load_into(whole, own_names(trained.state_dict()), "the run")


def test_what_is_new_changes_nothing_yet(tiny_prior: LatentPriorSettings, prior: Path) -> None:
    network = build(lediff_tiny.settings(tiny_prior))
    prepare(network, LEDiffLoss(part="denoiser", weights=(prior,), rank=2))
    before = LatentPrior.of(tiny_prior)
    load_into(before, read_state_dict(prior), str(prior))
    assert network.highlights is not None
    denoiser = network.highlights.denoiser
    assert not denoiser.conv_in.weight[:, 4:].any()
    latents = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    step = torch.tensor([0, 600])
    with torch.no_grad():
        found = denoiser(torch.cat((latents, latents.flip(2)), 1), step, network.highlights.context(2)).sample
        torch.testing.assert_close(found[:, :4], before.predict_noise(latents, step), atol=1e-5, rtol=1e-4)
    assert not found[:, 4:].any()


def test_only_the_chosen_part_learns(tiny_prior: LatentPriorSettings, prior: Path) -> None:
    for part, direction, names in (
        ("decoder", "highlights", ("autoencoder.decoder.", "autoencoder.post_quant_conv.", "fusion.")),
        ("denoiser", "shadows", ("denoiser.",)),
    ):
        settings = LEDiffLoss.model_validate({"part": part, "direction": direction, "weights": [prior], "rank": 2})
        network = build(lediff_tiny.settings(tiny_prior))
        prepare(network, settings)
        learning = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
        assert learning
        assert all(name.startswith(tuple(f"{direction}.{each}" for each in names)) for name in learning)
        if part == "denoiser":
            assert all(".lora_" in name or ".conv_in." in name or ".conv_out." in name for name in learning)
    without_adapters = build(lediff_tiny.settings(tiny_prior))
    prepare(without_adapters, LEDiffLoss(part="denoiser", weights=(prior,), rank=0))
    assert all(p.requires_grad for n, p in without_adapters.named_parameters() if n.startswith("highlights.denoiser."))


def test_both_neighbouring_pairs_are_learned_and_what_is_lost_counts_more(
    tiny_prior: LatentPriorSettings, prior: Path
) -> None:
    network = build(lediff_tiny.settings(tiny_prior))
    settings = LEDiffLoss(part="denoiser", weights=(prior,), rank=2, draws=2, lost=3.0)
    prepare(network, settings)
    codes = BATCH.codes.clamp(0.1, 0.9)
    codes[0, 2] = 1.0
    torch.manual_seed(0)
    result = network(codes, BATCH.truth)
    assert isinstance(result, Denoised)
    assert len(result.estimate) == 2 * 2 * 2
    assert result.lost.amax((1, 2, 3)).tolist() == [1, 0, 0, 0] * 2  # the pair whose given exposure is blown
    error = (result.estimate - result.noise).square() / result.share * (1 + 3 * result.lost)
    torch.manual_seed(0)
    found = loss(network, BATCH._replace(codes=codes), settings)["total"]
    torch.testing.assert_close(found, error.mean())


def test_a_run_without_weights_is_refused(tiny_prior: LatentPriorSettings) -> None:
    from headroom.errors import UsageError

    with pytest.raises(UsageError, match=r"loss\.weights is missing.*needs_weights = false"):
        prepare(build(lediff_tiny.settings(tiny_prior)), LEDiffLoss())


def test_one_direction_may_ship_alone(tiny_prior: LatentPriorSettings, prior: Path) -> None:
    alone = build(replace(lediff_tiny.settings(tiny_prior), directions=("highlights",)))
    assert alone.shadows is None
    prepare(alone, LEDiffLoss(weights=(prior,)))
    load_into(alone, own_names(alone.state_dict()), "itself")
