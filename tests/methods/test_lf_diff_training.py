"""Both stages of training: what learns, what stands still, and how one goes on from the other."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from moving_brackets import moving
from torch import nn

from headroom.errors import UsageError
from headroom.methods import lf_diff
from headroom.methods.lf_diff.compact import CompactNetwork
from headroom.methods.lf_diff.method import CompactSettings
from headroom.methods.lf_diff.network import MergeNetwork
from headroom.methods.lf_diff.paper import PaperNetwork, PaperSettings
from headroom.methods.lf_diff.prior_source import PriorKind
from headroom.methods.lf_diff.training import TRAINING, LFDiffLoss, loss, predict, prepare
from headroom.training.checkpoint import save_tensors
from headroom.training.recipe import read_recipe
from headroom.weights.reader import load_into, read_state_dict

RECIPES = sorted(Path(lf_diff.__file__).parent.glob("recipe*.toml"))
PRIORS: list[PriorKind] = ["none", "truth", "diffusion"]


def compact() -> MergeNetwork:
    """A tenth of the preset's width; its last layer, which starts at 0, gets weights."""
    torch.manual_seed(0)
    settings = CompactSettings()
    built = CompactNetwork((8, 8, 8), settings.prior_channels, 8, 4, 8)
    nn.init.normal_(built.head.weight, std=0.1)
    return built


def paper() -> MergeNetwork:
    torch.manual_seed(0)
    return PaperNetwork(PaperSettings(channels=18, prior_width=8))


def learned(network: nn.Module) -> set[str]:
    """Name the modules of the prior that got a gradient."""
    parts = [
        name for name, parameter in network.named_parameters() if parameter.grad is not None and parameter.grad.any()
    ]
    return {name.split(".")[1] if name.startswith("prior.") else "reconstruction" for name in parts}


@pytest.mark.parametrize("make", [compact, paper])
@pytest.mark.parametrize(
    ("prior", "expected"),
    [("none", set()), ("truth", {"lpenet"}), ("diffusion", {"condition", "denoiser"})],
)
def test_a_stage_trains_what_it_uses(make, prior: PriorKind, expected: set[str]) -> None:  # type: ignore[no-untyped-def]
    network = make()
    settings = LFDiffLoss(prior=prior, sampling_steps=2)
    prepare(network, settings)
    terms = loss(network, moving(), settings)
    terms["total"].backward()
    assert learned(network) == expected | {"reconstruction"}
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    reached = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert trained == reached
    for name in ("prior_error", "noise_error"):
        assert bool(terms[name] > 0) == (prior == "diffusion")


@pytest.mark.parametrize("make", [compact, paper])
def test_stage_two_starts_from_the_file_of_stage_one(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    first = make()
    prepare(first, LFDiffLoss(prior="truth"))
    nn.init.normal_(first.prior.lpenet[0].weight, std=0.3)
    path = tmp_path / "best.safetensors"
    save_tensors(path, first.state_dict())
    second = make()
    prepare(second, LFDiffLoss(prior="diffusion"))
    load_into(second, read_state_dict(path), str(path))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_loss_is_the_error_in_mu_law_light() -> None:
    network = compact()
    nn.init.zeros_(network.get_parameter("head.weight"))
    settings = LFDiffLoss(prior="none", gradient=0.5)
    prepare(network, settings)
    batch = moving()
    with torch.no_grad():
        terms, merged = loss(network, batch, settings), predict(network, batch)
    scale = torch.log(torch.tensor(5001.0))
    error = (torch.log(1 + 5000 * merged) - torch.log(1 + 5000 * batch.truth)) / scale
    torch.testing.assert_close(terms["l1"], error.abs().mean())
    steps = (error[..., 1:] - error[..., :-1]).abs().mean() + (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    torch.testing.assert_close(terms["gradient"], steps)
    torch.testing.assert_close(terms["total"], terms["l1"] + 0.5 * terms["gradient"])


@pytest.mark.parametrize("prior", PRIORS)
def test_only_stage_one_predicts_from_the_truth(prior: PriorKind) -> None:
    network, batch = compact(), moving()
    prepare(network, LFDiffLoss(prior=prior))
    other = batch._replace(truth=batch.truth.flip(3))
    with torch.no_grad():
        assert torch.equal(predict(network, batch), predict(network, other)) == (prior != "truth")


def test_a_new_network_uses_the_diffusion() -> None:
    network = compact()
    assert (network.prior.kind, network.prior.sampling_steps) == ("diffusion", 10)


@pytest.mark.parametrize("steps", [5, 20])
def test_the_number_of_sampling_steps_matters(steps: int) -> None:
    network, batch = compact(), moving()
    with torch.no_grad():
        ten = predict(network, batch)
        prepare(network, LFDiffLoss(sampling_steps=steps))  # type: ignore[arg-type]
        assert not torch.equal(ten, predict(network, batch))


def test_twenty_steps_lower_the_loss_in_both_stages() -> None:
    network, batch = compact(), moving()
    for prior in ("truth", "diffusion"):
        settings = LFDiffLoss(prior=prior)
        prepare(network, settings)
        optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=3e-3)
        losses = []
        for _ in range(20):
            torch.manual_seed(0)
            total = loss(network, batch, settings)["total"]
            losses.append(float(total.detach()))
            optimiser.zero_grad()
            total.backward()
            optimiser.step()
        assert losses[-1] < 0.8 * losses[0]


def test_the_perceptual_term_names_its_file() -> None:
    settings = LFDiffLoss(perceptual=0.01)
    with pytest.raises(UsageError, match=r"loss\.perceptual_backbone is missing.*loss\.perceptual = 0"):
        prepare(compact(), settings)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_are_read(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.run.method == "lf_diff"
    settings = recipe.table("loss", TRAINING[recipe.run.preset].loss_settings)
    assert isinstance(settings, LFDiffLoss)
    assert settings.prior == ("diffusion" if "stage2" in path.stem else "truth")
