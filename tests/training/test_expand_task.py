"""The training task of expand methods, on procedural panoramas of which the committed lists know the names."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import DataLoader

from headroom.data.panoramas import load_panoramas
from headroom.errors import DataError, UsageError
from headroom.methods import hybrid_ae
from headroom.methods.contract import ExpandBatch
from headroom.training.expand import ExpandTask
from headroom.training.loop import train
from headroom.training.recipe import Recipe, read_recipe
from headroom.training.tasks import make_task, training_of

TRAIN = ("cave_wall_1k", "aristea_wreck_puresky_1k", "lebombo_1k")
VAL = ("vestibule_1k",)
RECIPES = Path(hybrid_ae.__file__).parent


@pytest.fixture(scope="module")
def panoramas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write skies with lamps over textured ground, 128 x 64."""
    folder = tmp_path_factory.mktemp("panoramas")
    x, y = np.meshgrid(np.linspace(0, 2 * np.pi, 128, endpoint=False), np.linspace(1, -1, 64))
    for seed, name in enumerate((*TRAIN, *VAL, "unlisted_1k")):
        generator = np.random.default_rng(seed)
        log2 = np.where(y > 0, y, -3 + np.sin(6 * x + seed)) + 0.3 * generator.normal(size=x.shape)
        for _ in range(6):
            lamp = np.hypot(x - generator.uniform(0.5, 5.5), y - generator.uniform(-0.2, 0.7))
            log2 += generator.uniform(7, 9) * (lamp < 0.2)
        light = np.exp2(log2)[..., None] * generator.uniform(0.6, 1.0, 3)
        assert cv2.imwrite(str(folder / f"{name}.hdr"), light.astype(np.float32))
    return folder


def debug_recipe(**overrides: str | float) -> Recipe:
    return read_recipe(RECIPES / "recipe_debug.toml", {key.replace("__", "."): v for key, v in overrides.items()})


def equal(one: ExpandBatch, other: ExpandBatch) -> bool:
    return all(torch.equal(*pair) for pair in zip(one, other, strict=True))


class TooBright(ExpandTask):
    """Starts with four stops everywhere, since a new network has the best of all constant gains already."""

    def build(self) -> nn.Module:
        network = super().build()
        nn.init.constant_(network.get_parameter("head.bias"), 4.0)
        return network


def test_thirty_steps_lower_the_loss(panoramas: Path, tmp_path: Path) -> None:
    recipe = debug_recipe(
        run__steps=30,
        run__log_every=10,
        run__validate_every=30,
        run__precision="float32",
        ema__decay=0,
        optimiser__learning_rate=3e-3,
        optimiser__warmup_steps=3,
        data__stages="[{ until = 1.0, view_px = 64 }]",
        data__validation_photos=8,
        data__validation_px=64,
    )
    task = TooBright(recipe, training_of("hybrid_ae"), panoramas)

    def mean_loss(network: nn.Module) -> float:
        with torch.inference_mode():
            return float(np.mean([float(task.loss(network, task.batch(i))["total"]) for i in range(1000, 1012)]))

    network = task.build()
    untrained = mean_loss(network)
    result = train(task, recipe, tmp_path / "run")
    network.load_state_dict(load_file(tmp_path / "run/best.safetensors"))
    assert mean_loss(network) < 0.8 * untrained
    assert result.best.metric == "stops"
    assert np.isfinite(result.best.value)


def test_batches_are_functions_of_their_index(panoramas: Path) -> None:
    one, other = (make_task(debug_recipe(), panoramas) for _ in range(2))
    assert not equal(one.batch(0), one.batch(1))
    other.batch(9)
    assert equal(one.batch(3), other.batch(3))
    assert not equal(one.batch(3), make_task(debug_recipe(run__seed=1), panoramas).batch(3))


class Batches(torch.utils.data.Dataset[ExpandBatch]):
    def __init__(self, task: ExpandTask) -> None:
        self.task = task

    def __getitem__(self, index: int) -> ExpandBatch:
        return ExpandBatch(*self.task.batch(index))


def test_a_worker_process_makes_the_same_batches(panoramas: Path) -> None:
    task = make_task(debug_recipe(), panoramas)
    loader = DataLoader(Batches(task), batch_size=None, sampler=range(2, 5), num_workers=1)
    for index, batch in zip(range(2, 5), loader, strict=True):
        assert equal(batch, task.batch(index))


def test_stages_switch_at_their_share_of_the_run(panoramas: Path) -> None:
    stages = "[{ until = 0.5, view_px = 64 }, { until = 0.8, view_px = 128 }, { until = 1.0, view_px = 192 }]"
    task = make_task(debug_recipe(run__steps=10, run__batch_size=1, data__stages=stages), panoramas)
    sides = [task.batch(index).encoded.shape[2] for index in range(10)]
    assert sides == [64] * 5 + [128] * 3 + [192] * 2


def test_stages_switch_for_all_processes_at_once(panoramas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = "[{ until = 0.5, view_px = 64 }, { until = 1.0, view_px = 128 }]"
    task = make_task(debug_recipe(run__steps=4, run__batch_size=1, data__stages=stages), panoramas)
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert [task.batch(index).encoded.shape[2] for index in (0, 3, 4, 7)] == [64, 64, 128, 128]


def test_validation_scores_unseen_photos_the_same_every_time(panoramas: Path) -> None:
    overrides: dict[str, str | float] = {"data__validation_photos": 8, "data__validation_px": 64}
    task = make_task(debug_recipe(**overrides), panoramas)
    other = make_task(debug_recipe(run__seed=5, data__deep_chance=1, **overrides), panoramas)
    torch.manual_seed(0)
    network = task.build()
    with torch.no_grad():
        scores = task.validate(network)
        assert scores == other.validate(network)
        panel = task.panel(network)
    assert {"stops", "stops_p90", "pu21_psnr", "pu21_psnr_clipped"} <= scores.keys()
    assert task.main_metric in scores
    assert all(np.isfinite(list(scores.values())))
    assert scores["stops"] <= scores["stops_p90"]
    assert panel.dtype == np.uint8
    assert panel.shape == (6 * 32, 6 * 32, 3)
    assert panel.std() > 10


def test_validation_reads_the_validation_split_alone(panoramas: Path, tmp_path: Path) -> None:
    assert list(load_panoramas(panoramas, "train")) == sorted(TRAIN)
    assert list(load_panoramas(panoramas, "val")) == sorted(VAL)
    for name in TRAIN:
        os.link(panoramas / f"{name}.hdr", tmp_path / f"{name}.hdr")
    task = make_task(debug_recipe(), tmp_path)
    with pytest.raises(DataError, match="no panorama of the val split"):
        task.validate(task.build())


def test_panoramas_are_read_as_stored(panoramas: Path) -> None:
    found = load_panoramas(panoramas, "val")["vestibule_1k"].permute(1, 2, 0).numpy()
    reference = cv2.imread(str(panoramas / "vestibule_1k.hdr"), cv2.IMREAD_UNCHANGED)
    assert reference is not None
    np.testing.assert_allclose(found, reference[..., ::-1], rtol=1e-2)


def test_panoramas_of_two_sizes_are_refused(panoramas: Path, tmp_path: Path) -> None:
    os.link(panoramas / "lebombo_1k.hdr", tmp_path / "lebombo_1k.hdr")
    assert cv2.imwrite(str(tmp_path / "cave_wall_1k.hdr"), np.ones((32, 64, 3), np.float32))
    with pytest.raises(DataError, match="differ in size"):
        load_panoramas(tmp_path, "train")


def test_all_trainable_parameters_are_trained(panoramas: Path) -> None:
    task = make_task(debug_recipe(), panoramas)
    network = task.build()
    (group,) = task.parameter_groups(network)
    assert {id(p) for p in group["params"]} == {id(p) for p in network.parameters() if p.requires_grad}


def test_what_cannot_be_trained_is_named(panoramas: Path) -> None:
    with pytest.raises(UsageError, match=r"linear.*nothing to train"):
        training_of("linear")
    with pytest.raises(UsageError, match="no preset 'huge'"):
        training_of("hybrid_ae", "huge")
    with pytest.raises(UsageError, match="no method"):
        training_of("magic")
    with pytest.raises(UsageError, match=r"unknown key data\.stage;"):
        make_task(debug_recipe(data__stage=1), panoramas)
    with pytest.raises(UsageError, match="view_px"):
        make_task(debug_recipe(data__stages="[{ until = 1.0, view_px = 100 }]"), panoramas)
