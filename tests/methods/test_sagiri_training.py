"""Sagiri's stage 1 learns from what its paper says, and from what the recipe adds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from headroom.methods import sagiri
from headroom.methods.contract import EnhanceBatch
from headroom.methods.sagiri.latent_swinir import COMPACT, LatentSwinIR
from headroom.methods.sagiri.stage1_losses import colour_reconstruction_losses
from headroom.methods.sagiri.training import TRAINING, Stage1Loss
from headroom.training.recipe import read_recipe

RECIPES = Path(sagiri.__file__).parent
TINY = replace(COMPACT, channels=8, groups=1, blocks=2, heads=2, window=2, upsampled_channels=(4, 4, 4, 4))


@pytest.fixture
def batch() -> EnhanceBatch:
    generator = torch.Generator().manual_seed(0)
    encoded, truth = (torch.rand(2, 3, 32, 48, generator=generator) for _ in range(2))
    return EnhanceBatch(encoded, torch.zeros(2, 1, 32, 48), truth, torch.zeros(2))


@pytest.fixture
def network() -> LatentSwinIR:
    torch.manual_seed(0)
    made = LatentSwinIR(TINY)
    torch.nn.init.normal_(made.conv_last.weight, std=0.1)
    return made


def test_without_settings_the_loss_is_the_papers(batch: EnhanceBatch, network: LatentSwinIR) -> None:
    found = TRAINING["compact"].loss(network, batch, Stage1Loss())
    expected = colour_reconstruction_losses(network(batch.encoded), batch.truth)
    torch.testing.assert_close(found["total"], expected["total"])


def test_every_term_has_its_weight(batch: EnhanceBatch, network: LatentSwinIR) -> None:
    terms = TRAINING["compact"].loss(network, batch, Stage1Loss())
    for name in Stage1Loss.model_fields:
        alone = Stage1Loss(**{other: 2.0 * (other == name) for other in Stage1Loss.model_fields})
        torch.testing.assert_close(TRAINING["compact"].loss(network, batch, alone)["total"], 2 * terms[name])


def test_predictions_are_code_values(batch: EnhanceBatch, network: LatentSwinIR) -> None:
    predicted = TRAINING["compact"].predict(network, batch)
    torch.testing.assert_close(predicted, network(batch.encoded).clamp(0, 1))
    assert not torch.equal(predicted, network(batch.encoded))


@pytest.mark.parametrize("preset", TRAINING)
@pytest.mark.parametrize("suffix", ["", "_debug"])
def test_recipes_fit_their_preset(preset: str, suffix: str) -> None:
    recipe = read_recipe(RECIPES / f"{TRAINING[preset].recipe}{suffix}.toml")
    assert (recipe.run.method, recipe.run.preset) == ("sagiri", preset)
    recipe.table("loss", TRAINING[preset].loss_settings)


def test_what_serves_the_compact_network_is_not_in_the_papers_loss() -> None:
    paper = read_recipe(RECIPES / "recipe_paper.toml").table("loss", Stage1Loss)
    assert (paper.absolute, paper.structure) == (0, 0)
