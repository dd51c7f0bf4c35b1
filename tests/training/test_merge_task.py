"""The training task of merge methods, on procedural panoramas of which the committed lists know the names."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from skies import TRAIN

from headroom.errors import DataError, UsageError
from headroom.methods import lf_diff
from headroom.methods.contract import MergeBatch
from headroom.training.loop import train
from headroom.training.merge import MergeTask
from headroom.training.recipe import Recipe, read_recipe
from headroom.training.tasks import make_task

RECIPES = Path(lf_diff.__file__).parent


def debug_recipe(**overrides: str | float) -> Recipe:
    values = {"run__batch_size": 2, "data__patch_px": 32, "data__validation_px": 32, **overrides}
    return read_recipe(RECIPES / "recipe_debug.toml", {key.replace("__", "."): v for key, v in values.items()})


def task(folder: Path, **overrides: str | float) -> MergeTask:
    made = make_task(debug_recipe(**overrides), folder)
    assert isinstance(made, MergeTask)
    return made


def equal(one: MergeBatch, other: MergeBatch) -> bool:
    return all(torch.equal(*pair) for pair in zip(one, other, strict=True))


def test_batches_are_functions_of_their_index(panoramas: Path) -> None:
    one, other = task(panoramas), task(panoramas)
    assert one.batch(0).truth.shape == (2, 3, 32, 32)
    assert not equal(one.batch(0), one.batch(1))
    assert equal(one.batch(3), other.batch(3))
    assert not equal(one.batch(3), task(panoramas, run__seed=1).batch(3))


def test_validation_is_the_mean_psnr_in_mu_law_light(panoramas: Path) -> None:
    made = task(panoramas)
    torch.manual_seed(0)
    network = made.build()
    with torch.no_grad():
        scores = made.validate(network)
        assert scores == task(panoramas, run__seed=5).validate(network)
        batch = made._validation[0]
        light = made.training.predict(network, batch).numpy().astype(np.float64)
        panel = made.panel(network)
    curves = [np.log(1 + 5000 * x) / np.log(5001) for x in (light, batch.truth.numpy().astype(np.float64))]
    psnr = -10 * np.log10(((curves[0] - curves[1]) ** 2).mean(axis=(1, 2, 3)))
    assert scores["psnr_mu"] == pytest.approx(psnr.mean(), abs=1e-3)
    assert scores["psnr_mu_worst"] == pytest.approx(psnr.min(), abs=1e-3)
    assert {made.main_metric, "psnr_mu_masked", "psnr_l", "ssim_mu"} <= scores.keys()
    assert made.higher_is_better
    assert panel.dtype == np.uint8
    assert panel.shape == (3 * 32, 6 * 32, 3)


def test_validation_reads_the_validation_split_alone(panoramas: Path, tmp_path: Path) -> None:
    for name in TRAIN:
        os.link(panoramas / f"{name}.hdr", tmp_path / f"{name}.hdr")
    made = task(tmp_path)
    with pytest.raises(DataError, match="no panorama of the val split"):
        made.validate(made.build())


def test_stage_two_goes_on_from_stage_one(panoramas: Path, tmp_path: Path) -> None:
    short: dict[str, str | float] = {"run__steps": 2, "run__precision": "float32", "run__validate_every": 2}
    one = debug_recipe(**short)
    first = train(make_task(one, panoramas), one, tmp_path / "one")
    weights = str(first.folder / "best.safetensors")
    two = debug_recipe(**short, run__initial_weights=weights, loss__prior="diffusion")
    second = train(make_task(two, panoramas), two, tmp_path / "two")
    assert second.best.metric == "psnr_mu"
    assert np.isfinite(second.best.value)


def test_wrong_values_are_named(panoramas: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown key data\.patch;"):
        make_task(debug_recipe(data__patch=1), panoramas)
    with pytest.raises(UsageError, match=r"data\.patch_px"):
        make_task(debug_recipe(data__patch_px=100), panoramas)
    with pytest.raises(UsageError, match=r"loss\.prior"):
        make_task(debug_recipe(loss__prior="guess"), panoramas)
