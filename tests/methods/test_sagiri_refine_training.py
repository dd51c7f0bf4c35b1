"""Both runs of the second stage's training: what learns, from what, and how one goes on from the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from headroom.errors import UsageError, WeightsError
from headroom.methods import sagiri
from headroom.methods.contract import EnhanceBatch
from headroom.methods.sagiri.latent_swinir import COMPACT, LatentSwinIR
from headroom.methods.sagiri.refine_training import RefineLoss, loss, predict, prepare
from headroom.methods.sagiri.refiner import Refiner, RefinerSettings, build_refiner
from headroom.methods.sagiri.training import TRAINING
from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.settings import LatentPriorSettings
from headroom.training.checkpoint import save_tensors
from headroom.training.recipe import read_recipe
from headroom.weights.reader import load_into, read_state_dict

RECIPES = sorted(Path(sagiri.__file__).parent.glob("recipe_refine*.toml"))
SIDE_PX = 96
RANDOM = RefineLoss(needs_prior=False)


@pytest.fixture
def network(tiny_prior: LatentPriorSettings) -> Refiner:
    torch.manual_seed(0)
    return build_refiner(RefinerSettings(prior=tiny_prior))


def batch() -> EnhanceBatch:
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(2, 3, SIDE_PX, SIDE_PX, generator=generator)
    unknown = torch.zeros(2, 1, SIDE_PX, SIDE_PX)
    unknown[..., 40:, :] = 1
    return EnhanceBatch(truth.lerp(truth.mean((2, 3), keepdim=True), unknown), unknown, truth, torch.zeros(2))


def first_stage(folder: Path) -> Path:
    """Weights of the compact first stage that brighten a photo."""
    made = LatentSwinIR(COMPACT)
    with torch.no_grad():
        made.conv_last.bias[3::4] = 0.25  # type: ignore[index]
    path = folder / "first.safetensors"
    save_tensors(path, made.state_dict())
    return path


def test_the_prior_is_loaded_and_the_control_starts_from_it(
    network: Refiner, tiny_prior: LatentPriorSettings, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    prior, path = LatentPrior.of(tiny_prior), tmp_path / "best.safetensors"
    save_tensors(path, prior.state_dict())
    prepare(network, RefineLoss(prior=(path,)))
    for name, value in prior.state_dict().items():
        assert torch.equal(network.state_dict()[name], value)
    assert torch.equal(network.control.conv_in.weight[:, :4], prior.denoiser.conv_in.weight)
    assert not network.control.conv_in.weight[:, 4:].any()
    for ours, theirs in zip(network.control.mid_block.parameters(), prior.denoiser.mid_block.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_run_without_a_prior_is_refused(network: Refiner) -> None:
    with pytest.raises(UsageError, match=r"loss\.prior is missing.*loss\.needs_prior = false"):
        prepare(network, RefineLoss())


def test_words_are_missed_before_the_first_step(tiny_prior: LatentPriorSettings) -> None:
    reader = build_refiner(RefinerSettings(prior=replace(tiny_prior, context_tokens=0, latent_deviation=1.0)))
    with pytest.raises(UsageError, match="text_encoder and tokenizer"):
        prepare(reader, RANDOM)
    reader.words = lambda prompts: torch.ones(len(prompts), 2, 8)
    prepare(reader, RANDOM)
    assert torch.isfinite(loss(reader, batch(), RANDOM)["total"])


def test_files_that_do_not_fit_are_refused(network: Refiner, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_tensors(path, {"other": torch.zeros(1)})
    with pytest.raises(WeightsError, match="made for another network"):
        prepare(network, RefineLoss(prior=(path,)))
    with pytest.raises(WeightsError, match="made for another network"):
        prepare(network, random_prior(first_stage=path))


def random_prior(**changes: object) -> RefineLoss:
    return RANDOM.model_copy(update=changes)


def test_fine_tuning_refines_what_the_first_stage_gives(network: Refiner, tmp_path: Path) -> None:
    path, photo = first_stage(tmp_path), batch().encoded
    assert network.to_refine(photo) is photo
    prepare(network, random_prior(first_stage=path))
    torch.testing.assert_close(network.to_refine(photo), (photo + 0.25).clamp(0, 1))
    assert not any(name.startswith("first_stage") for name in network.state_dict())


@pytest.mark.parametrize("masked", [False, True])
def test_the_control_learns_to_tell_the_noise(network: Refiner, masked: bool) -> None:
    settings = random_prior(masked=masked)
    prepare(network, settings)
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    totals = []
    for _ in range(12):
        torch.manual_seed(0)
        terms = loss(network, batch(), settings)
        optimiser.zero_grad()
        terms["total"].backward()
        optimiser.step()
        totals.append(float(terms["total"].detach()))
    assert totals[-1] < 0.97 * totals[0]
    changed = {
        name.split(".")[0] for name, value in network.state_dict().items() if not torch.equal(value, before[name])
    }
    assert changed == {"control"}


def test_the_total_weighs_the_terms(network: Refiner) -> None:
    settings = random_prior(noise=5.0, frequency=0.5, structure=2.0)
    torch.manual_seed(0)
    terms = {name: float(value.detach()) for name, value in loss(network, batch(), settings).items()}
    expected = 5 * terms["noise"] + 0.5 * terms["frequency"] + 2 * terms["structure"]
    assert terms["total"] == pytest.approx(expected)


def test_predictions_are_code_values_and_known_ones_stay(network: Refiner) -> None:
    given = batch()
    predicted = predict(network, given)
    assert torch.equal(predicted, predict(network, given))
    assert float(predicted.min()) >= 0
    assert float(predicted.max()) <= 1
    assert torch.equal(predicted[..., :20, :], given.encoded[..., :20, :])
    assert not torch.equal(predicted[..., 40:, :], given.encoded[..., 40:, :])


def test_fine_tuning_goes_on_from_the_file_of_pre_training(
    network: Refiner, tiny_prior: LatentPriorSettings, tmp_path: Path
) -> None:
    prepare(network, RANDOM)
    torch.nn.init.normal_(network.control.controlnet_mid_block.weight)
    path = tmp_path / "best.safetensors"
    save_tensors(path, network.state_dict())
    torch.manual_seed(1)
    second = build_refiner(RefinerSettings(prior=tiny_prior))
    prepare(second, RANDOM)
    load_into(second, read_state_dict(path), str(path))
    for one, other in zip(network.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_are_read(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.run.method == "sagiri"
    settings = recipe.table("loss", TRAINING[recipe.run.preset].loss_settings)
    assert isinstance(settings, RefineLoss)
    fine_tunes = "fine_tuning" in path.stem
    assert (settings.masked, settings.noise) == (fine_tunes, 5.0 if fine_tunes else 1.0)
    assert recipe.data.get("damage", "exposure") == ("exposure" if fine_tunes else "lines")
