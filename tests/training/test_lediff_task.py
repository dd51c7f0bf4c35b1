"""The training task of exposures, on procedural panoramas with names of the committed lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from headroom.data.exposures import ExposureData, ExposureSettings
from headroom.data.painted import painted_panoramas
from headroom.methods import lediff
from headroom.methods.lediff.training import TRAINING, LEDiffLoss
from headroom.training.exposures import ExposureTask, lost_stops
from headroom.training.recipe import Recipe, read_recipe
from headroom.training.tasks import make_task

RECIPES = sorted(Path(lediff.__file__).parent.glob("recipe*.toml"))
SMALL = {"run.batch_size": 1, "data.view_px": 32, "data.validation_px": 32, "loss.rank": 2, "loss.draws": 1}


def debug_recipe(stage: str) -> Recipe:
    return read_recipe(Path(lediff.__file__).parent / f"recipe{stage}_debug.toml", SMALL)


@pytest.mark.parametrize("stage", ["", "_denoisers"])
def test_a_step_a_validation_and_a_picture(panoramas: Path, stage: str) -> None:
    task = make_task(debug_recipe(stage), panoramas)
    assert isinstance(task, ExposureTask)
    torch.manual_seed(0)
    network = task.build()
    batch = task.batch(0)
    assert batch.codes.shape == (1, 3, 3, 32, 32)
    assert torch.equal(batch.codes, make_task(debug_recipe(stage), panoramas).batch(0).codes)
    losses = task.loss(network, batch)
    losses["total"].backward()
    gradients = [p.grad for group in task.parameter_groups(network) for p in group["params"]]
    assert any(gradient is not None and gradient.any() for gradient in gradients)
    with torch.no_grad():
        figures = task.validate(network)
        state = torch.get_rng_state()
        assert figures == task.validate(network)
        assert torch.equal(torch.get_rng_state(), state)
        panel = task.panel(network)
    assert np.isfinite(list(figures.values())).all()
    assert panel.shape == (6 * 32, 4 * 32, 3)


@pytest.mark.parametrize("photo", ["brightest", "darkest"])
def test_stops_are_those_of_what_the_photo_lacks(photo: str) -> None:
    batch = ExposureData(painted_panoramas(), ExposureSettings(photo=photo)).batch(0, 3, 64)  # type: ignore[arg-type]
    assert max(lost_stops(batch.truth * 8, batch)) < 1e-4  # any scale
    codes = batch.codes[torch.arange(3), batch.photo]
    lost = (codes >= 1).any(1) if photo == "brightest" else (codes < 8 / 255).any(1)
    wrong = torch.where(lost[:, None], batch.truth * 2**1.5, batch.truth)
    found = lost_stops(wrong, batch)
    assert len(found) == sum(each.sum() >= 16 for each in lost) > 0
    assert found == pytest.approx([1.5] * len(found), abs=0.02)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_are_read(path: Path, panoramas: Path) -> None:
    recipe = read_recipe(path)
    task = make_task(recipe, panoramas)
    assert isinstance(task, ExposureTask)
    settings = recipe.table("loss", TRAINING[recipe.run.preset].loss_settings)
    assert isinstance(settings, LEDiffLoss)
    assert settings.part == ("denoiser" if "denoisers" in path.stem else "decoder")
    assert settings.needs_weights == ("debug" not in path.stem)
    assert (settings.rank, settings.of_velocity) == ((0, False) if "paper_den" in path.stem else (64, True))
