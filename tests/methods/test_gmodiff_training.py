"""Both stages of training: what learns, what stands still, and what the mask is taught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from moving_brackets import moving
from torch import nn

from headroom.methods import gmodiff
from headroom.methods.gmodiff.compact import CompactRegressor
from headroom.methods.gmodiff.dareg import DaReg
from headroom.methods.gmodiff.method import METHOD
from headroom.methods.gmodiff.refine_training import RefinerLoss
from headroom.methods.gmodiff.regressor import Regressor
from headroom.methods.gmodiff.reliability import unreliable
from headroom.methods.gmodiff.training import TRAINING, RegressorLoss, loss, predict, prepare
from headroom.training.recipe import read_recipe

RECIPES = sorted(Path(gmodiff.__file__).parent.glob("recipe*.toml"))
MASK_HEAD = ("encoder_adapt_convs", "seg_conv_layers")


def compact() -> Regressor:
    """A quarter of the preset's width; its last layer, which starts at 0, gets weights."""
    torch.manual_seed(0)
    built = CompactRegressor((8, 8, 8), (1, 1), (1, 1), 4)
    nn.init.normal_(built.head.weight, std=0.1)
    return built


def dareg() -> Regressor:
    torch.manual_seed(0)
    built = DaReg((4, 8, 8, 8, 8), (2, 2, 2, 4), (1, 1, 1, 1), (1, 1, 1, 1), 4)
    for name, parameter in built.named_parameters():
        if name.endswith(("beta", "gamma")):
            nn.init.normal_(parameter, std=0.5)
    return built


@pytest.mark.parametrize("make", [compact, dareg])
@pytest.mark.parametrize("learn", ["gain", "mask"])
def test_a_stage_trains_what_it_teaches(make, learn: str) -> None:  # type: ignore[no-untyped-def]
    network = make()
    settings = RegressorLoss(learn=learn)  # type: ignore[arg-type]
    prepare(network, settings)
    loss(network, moving(), settings)["total"].backward()
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    reached = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert trained == reached
    assert {name.startswith(MASK_HEAD) for name in trained} == {learn == "mask"}
    assert len(trained) < len(list(network.parameters()))


def test_the_loss_is_the_error_of_gain_and_light() -> None:
    network, batch = compact(), moving()
    with torch.no_grad():
        terms = loss(network, batch, RegressorLoss(light=2.0, gradient=0.5))
        light, gain = predict(network, batch), network(batch.inputs).gain
    true_gain = torch.log(1 + 100 * batch.truth / (batch.encoded[:, 1] + 1 / 64)) / np.log(101)
    torch.testing.assert_close(terms["gain"], (gain - true_gain).abs().mean())
    error = (torch.log(1 + 5000 * light) - torch.log(1 + 5000 * batch.truth)) / np.log(5001)
    torch.testing.assert_close(terms["light"], error.abs().mean())
    steps = (error[..., 1:] - error[..., :-1]).abs().mean() + (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    torch.testing.assert_close(terms["gradient"], steps)
    torch.testing.assert_close(terms["total"], terms["gain"] + 2 * terms["light"] + 0.5 * terms["gradient"])


def test_unreliable_is_where_luminance_is_wrong_by_a_fiftieth() -> None:
    truth = torch.full((1, 3, 1, 5), 0.5)
    off = torch.zeros_like(truth)
    off[0, :, 0, 1] = 0.021
    off[0, :, 0, 2] = -0.019
    off[0, 1, 0, 3] = 0.02 / 0.587 + 1e-3  # green alone
    off[0, 2, 0, 4] = 0.1  # blue alone, whose share is 0.114
    assert unreliable(truth + off, truth).flatten().tolist() == [0, 1, 0, 1, 0]


def test_the_mask_is_taught_by_the_cross_entropy() -> None:
    network, batch = compact(), moving()
    with torch.no_grad():
        terms = loss(network, batch, RegressorLoss(learn="mask"))
        found = network(batch.inputs)
    wrong, chance = unreliable(found.light, batch.truth), torch.sigmoid(found.unreliable)
    expected = -(wrong * chance.log() + (1 - wrong) * (1 - chance).log()).mean()
    torch.testing.assert_close(terms["total"], expected)
    assert 0 < float(terms["wrong_share"]) < 1


def test_the_mask_does_not_change_the_picture() -> None:
    network, batch = compact(), moving()
    settings = RegressorLoss(learn="mask")
    prepare(network, settings)
    before = predict(network, batch).detach()
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for _ in range(20):
        total = loss(network, batch, settings)["total"]
        losses.append(float(total.detach()))
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
    assert losses[-1] < 0.8 * losses[0]
    assert torch.equal(predict(network, batch), before)


@pytest.mark.parametrize("make", [compact, dareg])
def test_twenty_steps_lower_the_loss(make) -> None:  # type: ignore[no-untyped-def]
    network, batch, settings = make(), moving(), RegressorLoss()
    prepare(network, settings)
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for _ in range(20):
        total = loss(network, batch, settings)["total"]
        losses.append(float(total.detach()))
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
    assert losses[-1] < 0.8 * losses[0]


def test_only_networks_of_the_method_are_prepared() -> None:
    with pytest.raises(TypeError, match="Conv2d is not a network of gmodiff"):
        prepare(nn.Conv2d(1, 1, 1), RegressorLoss())


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_are_read(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.run.method == METHOD.id
    settings = recipe.table("loss", TRAINING[recipe.run.preset].loss_settings)
    assert isinstance(settings, RefinerLoss if "refine" in path.stem else RegressorLoss)
    if isinstance(settings, RegressorLoss):
        assert settings.learn == ("mask" if "stage2" in path.stem else "gain")


def test_every_preset_can_be_trained() -> None:
    names = {path.stem for path in RECIPES}
    for name in METHOD.presets:
        assert {TRAINING[name].recipe, f"{TRAINING[name].recipe}_debug"} <= names
