"""The training task of enhance methods, on procedural panoramas of which the committed lists know the names."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from skies import TRAIN

from headroom.errors import DataError, UsageError
from headroom.methods import sagiri
from headroom.methods.contract import EnhanceBatch
from headroom.training.enhance import EnhanceTask
from headroom.training.loop import train
from headroom.training.recipe import Recipe, read_recipe
from headroom.training.tasks import make_task

RECIPES = Path(sagiri.__file__).parent


def debug_recipe(**overrides: str | float) -> Recipe:
    values = {"run__batch_size": 2, "data__validation_photos": 4, "data__validation_px": 32, **overrides}
    return read_recipe(RECIPES / "recipe_debug.toml", {key.replace("__", "."): v for key, v in values.items()})


def task(folder: Path, **overrides: str | float) -> EnhanceTask:
    made = make_task(debug_recipe(**overrides), folder)
    assert isinstance(made, EnhanceTask)
    return made


def equal(one: EnhanceBatch, other: EnhanceBatch) -> bool:
    return all(torch.equal(*pair) for pair in zip(one, other, strict=True))


def test_batches_are_functions_of_their_index(panoramas: Path) -> None:
    one, other = task(panoramas), task(panoramas)
    assert one.batch(0).truth.shape == (2, 3, 64, 64)
    assert not equal(one.batch(0), one.batch(1))
    assert equal(one.batch(3), other.batch(3))
    assert not equal(one.batch(3), task(panoramas, run__seed=1).batch(3))


def test_views_grow_with_the_run(panoramas: Path) -> None:
    stages = "[{ until = 0.5, view_px = 32 }, { until = 1.0, view_px = 48 }]"
    made = task(panoramas, data__stages=stages, run__steps=10)
    assert [made.batch(index).truth.shape[-1] for index in (0, 4, 5, 9)] == [32, 32, 48, 48]


def test_validation_is_the_mean_psnr_of_8_bit_codes(panoramas: Path) -> None:
    made = task(panoramas)
    network = made.build()
    with torch.no_grad():
        scores = made.validate(network)
        assert scores == task(panoramas, run__seed=5).validate(network)
        batch = made._validation[0]
        panel = task(panoramas, data__validation_photos=8).panel(network)
    # A new network returns the photo.
    codes = [np.rint(x.numpy().astype(np.float64) * 255) for x in (batch.encoded, batch.truth)]
    psnr = 20 * np.log10(255) - 10 * np.log10(((codes[0] - codes[1]) ** 2).mean(axis=(1, 2, 3)))
    assert scores["psnr"] == pytest.approx(psnr.mean(), abs=1e-3)
    assert 0 < scores["ssim"] < 1
    assert made.main_metric in scores
    assert made.higher_is_better
    assert panel.dtype == np.uint8
    assert panel.shape == (3 * 32, 6 * 32, 3)


def test_validation_reads_the_validation_split_alone(panoramas: Path, tmp_path: Path) -> None:
    for name in TRAIN:
        os.link(panoramas / f"{name}.hdr", tmp_path / f"{name}.hdr")
    made = task(tmp_path)
    with pytest.raises(DataError, match="no panorama of the val split"):
        made.validate(made.build())


def test_a_short_run_exposes_better_than_the_photos_are(panoramas: Path, tmp_path: Path) -> None:
    stages = "[{ until = 1.0, view_px = 32 }]"
    short = {"run__steps": 10, "run__validate_every": 10, "run__precision": "float32"}
    recipe = debug_recipe(**short, optimiser__warmup_steps=2, data__stages=stages)
    result = train(make_task(recipe, panoramas), recipe, tmp_path / "run")
    with torch.no_grad():
        untrained = task(panoramas).validate(task(panoramas).build())
    assert result.best.metric == "psnr"
    assert result.best.value > untrained["psnr"]


def test_wrong_values_are_named(panoramas: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown key data\.patch;"):
        make_task(debug_recipe(data__patch=1), panoramas)
    with pytest.raises(UsageError, match=r"data\.validation_photos"):
        make_task(debug_recipe(data__validation_photos=5), panoramas)
    with pytest.raises(UsageError, match=r"loss\.colour"):
        make_task(debug_recipe(loss__colour=-1), panoramas)
