"""The training task of methods that draw pictures, on procedural panoramas with names of the committed lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from headroom.data.pictures import PictureData, PictureSettings
from headroom.methods import latent_prior
from headroom.training.loop import train
from headroom.training.prior import PriorTask
from headroom.training.recipe import Recipe, read_recipe
from headroom.training.tasks import make_task

RECIPES = Path(latent_prior.__file__).parent
SMALL = {"run__batch_size": 2, "data__view_px": 32, "data__validation_px": 32, "run__precision": "float32"}


def debug_recipe(stage: str = "", **overrides: str | float) -> Recipe:
    values = {key.replace("__", "."): value for key, value in {**SMALL, **overrides}.items()}
    return read_recipe(RECIPES / f"recipe{stage}_debug.toml", values)


def task(folder: Path, stage: str = "", **overrides: str | float) -> PriorTask:
    made = make_task(debug_recipe(stage, **overrides), folder)
    assert isinstance(made, PriorTask)
    return made


def test_batches_are_functions_of_their_index(panoramas: Path) -> None:
    one, other = task(panoramas), task(panoramas)
    pictures = one.batch(3).pictures
    assert pictures.shape == (2, 3, 32, 32)
    assert (pictures.amin(), pictures.amax()) >= (0, 0)
    assert pictures.amax() <= 1
    assert torch.equal(pictures, other.batch(3).pictures)
    assert not torch.equal(pictures, one.batch(4).pictures)
    assert not torch.equal(pictures, task(panoramas, run__seed=1).batch(3).pictures)


def test_pictures_are_of_every_exposure() -> None:
    light = torch.rand(3, 32, 64, generator=torch.Generator().manual_seed(0)) + 0.1
    for low, high, clipped in ((-3.0, -3.0, False), (3.0, 3.0, True)):
        settings = PictureSettings(displayed_chance=0, exposure_ev=(low, high))
        pictures = PictureData({"a": light}, settings).batch(0, 4, 32).pictures
        linear = torch.where(pictures <= 0.04045, pictures / 12.92, ((pictures + 0.055) / 1.055) ** 2.4)
        luminance = (linear * torch.tensor([0.2126, 0.7152, 0.0722]).view(3, 1, 1)).sum(1)
        assert bool((pictures == 1).float().mean() > 0.5) == clipped
        if not clipped:
            keys = torch.exp2(luminance.log2().mean((1, 2)))
            torch.testing.assert_close(keys, torch.full((4,), 0.18 * 2**low), atol=1e-4, rtol=0)
    shown = PictureData({"a": light}, PictureSettings(displayed_chance=1)).batch(0, 4, 32).pictures
    assert shown.amax() < 1


def test_swapped_colours_are_the_same_picture_in_others() -> None:
    light = torch.rand(3, 32, 64, generator=torch.Generator().manual_seed(0)) + 0.1
    plain, swapped = (
        PictureData({"a": light}, PictureSettings(displayed_chance=1, swapped_chance=chance)).batch(0, 8, 32).pictures
        for chance in (0, 1)
    )
    # A mirror image is still one: drawing the swap moves the draw for it.
    sums = [pictures.mean((2, 3)).sort(dim=1).values for pictures in (plain, swapped)]
    torch.testing.assert_close(*sums)
    orders = {tuple(row) for row in swapped.mean((2, 3)).argsort(1).tolist()}
    assert len(orders) > len({tuple(row) for row in plain.mean((2, 3)).argsort(1).tolist()})


@pytest.mark.parametrize("stage", ["", "_denoiser"])
def test_validation_is_the_same_every_time(panoramas: Path, stage: str) -> None:
    made = task(panoramas, stage)
    torch.manual_seed(0)
    network = made.build().eval()
    with torch.no_grad():
        scores = made.validate(network)
        state = torch.get_rng_state()
        assert scores == task(panoramas, stage, run__seed=5).validate(network)
        assert torch.equal(torch.get_rng_state(), state)
        batch = made._validation[0]
        error = (made.training.predict(network, batch).clamp(0, 1) - batch.pictures).numpy()
        panel = made.panel(network)
    assert scores["psnr"] == pytest.approx((-10 * np.log10((error**2).mean(axis=(1, 2, 3)))).mean(), abs=1e-3)
    assert made.main_metric in scores
    assert panel.dtype == np.uint8
    assert panel.shape == (2 * 32, 2 * 32, 3)


def test_the_denoiser_starts_from_the_autoencoder(panoramas: Path, tmp_path: Path) -> None:
    first = debug_recipe(run__steps=2, run__validate_every=2)
    train(make_task(first, panoramas), first, tmp_path / "one")
    best = tmp_path / "one" / "best.safetensors"
    second = debug_recipe("_denoiser", run__steps=2, run__validate_every=2, run__initial_weights=str(best))
    train(make_task(second, panoramas), second, tmp_path / "two")
    before, after = load_file(best), load_file(tmp_path / "two" / "best.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith(("denoiser.", "learned_context", "latent_")) for name in changed)


def test_the_recipes_fit_the_task(panoramas: Path) -> None:
    for name in ("recipe", "recipe_denoiser"):
        made = make_task(read_recipe(RECIPES / f"{name}.toml"), panoramas)
        assert made.loss_settings.stage == ("denoiser" if "denoiser" in name else "autoencoder")
