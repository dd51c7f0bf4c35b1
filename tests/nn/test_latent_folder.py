"""Folders in the layout of diffusers, written by diffusers itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from latent_tiny import TINY
from safetensors.torch import load_file, save_file

from headroom.errors import WeightsError
from headroom.nn.latent.folder import from_folder
from headroom.nn.latent.prior import LatentPrior

SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False}
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def original() -> LatentPrior:
    torch.manual_seed(0)
    return LatentPrior.of(TINY).eval()


@pytest.fixture
def folder(original: LatentPrior, tmp_path: Path, no_network: None) -> Path:
    """A tiny Stable Diffusion, on a machine without a network."""
    from headroom.nn.latent.diffusers_models import DDPMScheduler

    original.autoencoder.save_pretrained(tmp_path / "vae")
    original.denoiser.save_pretrained(tmp_path / "unet")
    DDPMScheduler(**SCHEDULE).save_pretrained(tmp_path / "scheduler")
    return tmp_path


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@torch.no_grad()
def equal(one: LatentPrior, other: LatentPrior) -> bool:
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(1, 3, 32, 32, generator=generator)
    context = torch.randn(1, 5, 12, generator=generator)
    step = torch.tensor([300])
    latents = [prior.encode(pictures) for prior in (one, other)]
    noise = [prior.predict_noise(latents[0], step, context) for prior in (one, other)]
    back = [prior.decode(latents[0]) for prior in (one, other)]
    return all(torch.allclose(*pair, atol=1e-3) for pair in (latents, noise, back))


def test_what_diffusers_wrote_is_read(folder: Path, original: LatentPrior) -> None:
    found = from_folder(folder)
    assert equal(found, original)
    assert not found.training
    assert found.prediction == "epsilon"
    assert not any(parameter.is_meta for parameter in found.parameters())


def test_half_precision_is_read(folder: Path, original: LatentPrior) -> None:
    path = folder / "unet" / WEIGHTS
    save_file({name: value.half() for name, value in load_file(path).items()}, path.with_suffix(".fp16.safetensors"))
    path.unlink()
    assert equal(from_folder(folder), original)


def test_names_of_older_versions_are_known(folder: Path, original: LatentPrior) -> None:
    older = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    path = folder / "vae" / WEIGHTS
    state = load_file(path)
    for new, old in older.items():
        state = {name.replace(f".{new}.", f".{old}."): value for name, value in state.items()}
    save_file(state, path)
    assert equal(from_folder(folder), original)


def test_versions_are_told_by_their_configuration(folder: Path) -> None:
    change(folder / "scheduler" / "scheduler_config.json", prediction_type="v_prediction")
    change(folder / "vae" / "config.json", scaling_factor=0.25)
    found = from_folder(folder)
    assert found.prediction == "v_prediction"
    assert torch.equal(found.latent_deviation, torch.full((4,), 4.0))


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("unet/config.json", {"in_channels": 9}, "in_channels is 9 instead of 4"),
        ("vae/config.json", {"block_out_channels": [4, 8]}, "number of halvings is 1 instead of 3"),
        ("vae/config.json", {"scaling_factor": "much"}, "scaling_factor is 'much'"),
        ("scheduler/scheduler_config.json", {"beta_schedule": "linear"}, "beta_schedule is 'linear'"),
        ("scheduler/scheduler_config.json", {"prediction_type": "sample"}, "prediction_type is 'sample'"),
        ("unet/config.json", {"down_block_types": ["Shell", "DownBlock2D"]}, "makes no network"),
        ("unet/config.json", {"block_out_channels": [8, 24]}, "does not fit its configuration"),
    ],
)
def test_another_model_is_refused(folder: Path, file: str, values: dict[str, object], message: str) -> None:
    change(folder / file, **values)
    with pytest.raises(WeightsError, match=message):
        from_folder(folder)


@pytest.mark.parametrize(
    "file", ["unet/config.json", "vae/config.json", "scheduler/scheduler_config.json", f"unet/{WEIGHTS}"]
)
@pytest.mark.parametrize("kept", [None, 0, 10])
def test_a_file_that_is_missing_or_damaged_is_named(folder: Path, file: str, kept: int | None) -> None:
    path = folder / file
    content = path.read_bytes()
    path.unlink()
    if kept is not None:
        path.write_bytes(content[:kept])
    with pytest.raises(WeightsError, match=path.name.replace(".", r"\.")):
        from_folder(folder)


def test_a_folder_of_pickles_is_not_opened(folder: Path) -> None:
    (folder / "unet" / WEIGHTS).rename(folder / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"diffusion_pytorch_model\.safetensors"):
        from_folder(folder)


def test_the_settings_of_a_folder_make_its_size(folder: Path) -> None:
    with torch.device("meta"):
        shapes = {name: value.shape for name, value in LatentPrior.of(replace(TINY)).state_dict().items()}
    assert {name: value.shape for name, value in from_folder(folder).state_dict().items()} == shapes
