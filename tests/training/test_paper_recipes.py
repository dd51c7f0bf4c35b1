"""The recipes of the papers' sizes as they are written, but for a few steps on small pictures and thin networks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gmodiff_released import SETTINGS
from latent_tiny import TINY
from tiny_models import write_text_encoder
from torch import nn

from headroom import methods
from headroom.methods import load
from headroom.methods.lediff.exposer import PAPER_LEDIFF
from headroom.nn.dists import DISTS
from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.settings import LatentPriorSettings
from headroom.nn.perceptual import LPIPS_CHANNELS
from headroom.training.exposures import ExposureTask
from headroom.training.loop import train
from headroom.training.merge import MergeTask
from headroom.training.method_task import MethodTask
from headroom.training.recipe import read_recipe
from headroom.training.tasks import training_of
from headroom.weights.reader import load_into, read_state_dict
from headroom.weights.writer import pack

SHORT = {
    "run.steps": 2,
    "run.batch_size": 1,
    "run.workers": 0,
    "run.precision": "float32",
    "run.log_every": 1,
    "run.validate_every": 2,
    "data.validation_px": 64,
}
BRACKETS = {**SHORT, "data.patch_px": 64, "data.validation_brackets": 8}
VIEWS = {**SHORT, "data.view_px": 64, "data.validation_views": 4}

LPIPS_FILES = {"backbone": "vgg16", "heads": "lpips"}


def thin(task: MethodTask[Any], settings: object) -> nn.Module:
    """Build what a task trains, by other numbers than the preset's."""
    network = load(task.recipe.run.method).build(settings)
    task.training.prepare(network, task.loss_settings)
    return network


class ThinGMODiff(MergeTask):
    def build(self) -> nn.Module:
        return thin(self, SETTINGS if self.recipe.run.preset == "paper" else SETTINGS.regressor)


class ThinLEDiff(ExposureTask):
    def build(self) -> nn.Module:
        return thin(self, replace(PAPER_LEDIFF, prior=TINY))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what the losses are made of, with random weights."""
    folder = tmp_path_factory.mktemp("files")
    torch.manual_seed(0)
    dists = DISTS()
    pack(dists.features.state_dict(), folder / "vgg16.safetensors", {})
    pack({"alpha": dists.alpha, "beta": dists.beta}, folder / "dists.safetensors", {})
    heads = {f"lin{i}.model.1.weight": torch.rand(1, n, 1, 1) for i, n in enumerate(LPIPS_CHANNELS)}
    pack(heads, folder / "lpips.safetensors", {})
    return folder


def prior(folder: Path, settings: LatentPriorSettings) -> Path:
    """Write a Stable Diffusion as it is imported to one file."""
    path = folder / "sd.safetensors"
    pack(LatentPrior.of(settings).state_dict(), path, {})
    return path


def trained(task: type[ThinGMODiff | ThinLEDiff], recipe: str, panoramas: Path, out: Path, **chosen: Any) -> Path:
    """Run a recipe of the method and return its best weights."""
    method = "gmodiff" if task is ThinGMODiff else "lediff"
    own = {name.replace("__", "."): str(value).replace("'", '"') for name, value in chosen.items()}
    path = Path(methods.__file__).parent / method / f"{recipe}.toml"
    read = read_recipe(path, {**(BRACKETS if task is ThinGMODiff else VIEWS), **own})
    result = train(task(read, training_of(method, read.run.preset), panoramas), read, out)
    assert np.isfinite(result.best.value)
    return out / "best.safetensors"


def losses(best: Path) -> set[str]:
    first = json.loads((best.parent / "log.jsonl").read_text().splitlines()[0])
    return {name.removeprefix("loss/") for name in first if name.startswith("loss/")}


@pytest.mark.slow
def test_the_three_stages_of_gmodiff(panoramas: Path, files: Path, tmp_path: Path) -> None:
    gain = trained(ThinGMODiff, "recipe_paper", panoramas, tmp_path / "gain")
    mask = trained(ThinGMODiff, "recipe_paper", panoramas, tmp_path / "mask", loss__learn="mask",
                   run__initial_weights=gain)  # fmt: skip
    parts = [str(prior(tmp_path, SETTINGS.prior)), str(mask)]
    refined = trained(ThinGMODiff, "recipe_refine_paper", panoramas, tmp_path / "refined", loss__parts=parts,
                      loss__vgg16=files / "vgg16.safetensors", loss__dists=files / "dists.safetensors")  # fmt: skip
    assert {"gain", "light", "texture"} <= losses(refined)
    method = load("gmodiff")
    load_into(method.build(SETTINGS), method.own_names(read_state_dict(refined)), str(refined))


def test_the_decoder_of_lediff(panoramas: Path, files: Path, tmp_path: Path) -> None:
    weights = [str(prior(tmp_path, TINY))]
    lpips = {f"loss__lpips_{part}": files / f"{name}.safetensors" for part, name in LPIPS_FILES.items()}
    decoder = trained(ThinLEDiff, "recipe_paper", panoramas, tmp_path / "run", loss__weights=weights, **lpips)
    assert {"l1", "lpips", "adversarial", "critic"} <= losses(decoder)


@pytest.mark.parametrize(("direction", "photo"), [("highlights", "brightest"), ("shadows", "darkest")])
def test_a_denoiser_of_lediff(panoramas: Path, tmp_path: Path, direction: str, photo: str) -> None:
    write_text_encoder(tmp_path / "words")
    weights = [str(prior(tmp_path, TINY))]
    trained(ThinLEDiff, "recipe_paper_denoisers", panoramas, tmp_path / "denoiser", loss__weights=weights,
            loss__words=tmp_path / "words", loss__direction=direction, data__photo=photo)  # fmt: skip
