"""Released folders of LEDiff in miniature: read component by component, every key accounted for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from latent_tiny import TINY
from safetensors.torch import load_file, save_file

from headroom.errors import UsageError, WeightsError
from headroom.methods import load
from headroom.methods.lediff.exposer import PAPER_LEDIFF, Exposer, build_exposer
from headroom.methods.lediff.folder import read_exposer, read_folder
from headroom.methods.lediff.keymap import layouts
from headroom.methods.lediff.network import LEDiff
from headroom.nn.latent.keymap import unet_table, vae_table
from headroom.nn.latent.settings import STABLE_DIFFUSION_1, STABLE_DIFFUSION_2, LatentPriorSettings
from headroom.weights.importing import import_checkpoints

SCHEDULE = {
    "_class_name": "PNDMScheduler",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
}
FUSION = "vae/merge_model.safetensors"


def released(folder: Path, seed: int) -> Exposer:
    """Write a folder as it was released; the pipeline that it names is in no diffusers."""
    torch.manual_seed(seed)
    exposer = build_exposer(replace(PAPER_LEDIFF, prior=TINY))
    torch.nn.init.normal_(exposer.fusion.weight_conv.weight)
    exposer.autoencoder.save_pretrained(folder / "vae")
    exposer.denoiser.save_pretrained(folder / "unet")
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(
        json.dumps({"_class_name": "PNDMScheduler", **SCHEDULE})
    )
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionITMPipeline"}))
    save_file(exposer.fusion.state_dict(), folder / FUSION)
    return exposer.eval()


def same(one: Exposer, other: Exposer) -> bool:
    states = [exposer.state_dict() for exposer in (one, other)]
    return states[0].keys() == states[1].keys() and all(torch.equal(states[0][n], states[1][n]) for n in states[0])


def test_every_tensor_of_a_folder_is_read(tmp_path: Path) -> None:
    written = released(tmp_path, 0)
    files = [
        load_file(tmp_path / part / "diffusion_pytorch_model.safetensors") for part in ("vae", "unet")
    ] + [load_file(tmp_path / FUSION)]  # fmt: skip
    read = read_exposer(tmp_path)
    assert same(read, written)
    assert len(read.state_dict()) == sum(map(len, files))
    assert (read.log_range, read.options.steps, read.options.guidance) == ((-1.0, 1.0), 50, 7.5)
    assert read.channels == 4
    assert read.denoiser.conv_in.weight.shape[1] == 8


@pytest.mark.parametrize(
    ("prior", "numbers"), [(STABLE_DIFFUSION_1, 859_520_964), (STABLE_DIFFUSION_2, 865_910_724)], ids=["1", "2"]
)
def test_keys_and_sizes_of_the_released_networks_are_those_of_stable_diffusion(
    prior: LatentPriorSettings, numbers: int
) -> None:
    with torch.device("meta"):
        exposer = build_exposer(replace(PAPER_LEDIFF, prior=prior))
    names = set(exposer.state_dict())
    expected = {f"denoiser.{name}" for name in unet_table()} | {f"autoencoder.{name}" for name in vae_table()}
    assert names == expected | {"fusion.weight_conv.weight", "fusion.weight_conv.bias"}
    assert tuple(exposer.denoiser.conv_in.weight.shape) == (320, 8, 3, 3)
    assert sum(p.numel() for p in exposer.denoiser.parameters()) == numbers + 320 * 4 * 3 * 3
    assert sum(p.numel() for p in exposer.autoencoder.decoder.parameters()) == 49_490_179


def test_both_folders_make_a_network(tmp_path: Path) -> None:
    written = [released(tmp_path / direction, seed) for seed, direction in enumerate(("highlights", "shadows"))]
    network = read_folder(PAPER_LEDIFF, tmp_path)
    assert isinstance(network, LEDiff)
    assert network.highlights is not None
    assert network.shadows is not None
    assert same(network.highlights, written[0])
    assert same(network.shadows, written[1])


def test_one_folder_is_that_of_the_highlights(tmp_path: Path) -> None:
    written = released(tmp_path, 0)
    method = load("lediff")
    assert method.read_folder is not None
    network = method.read_folder(method.presets["paper"].settings, tmp_path)
    assert isinstance(network, LEDiff)
    assert network.highlights is not None
    assert same(network.highlights, written)
    assert network.shadows is None


def test_the_released_fusion_is_imported(tmp_path: Path) -> None:
    written = released(tmp_path, 0)
    pickled = tmp_path / "vae" / "merge_model.pth"
    torch.save(written.fusion.state_dict(), pickled)
    (tmp_path / FUSION).unlink()
    with pytest.raises(WeightsError, match=rf"merge_model\.safetensors: is not there.*import {pickled} -o"):
        read_exposer(tmp_path)
    list(import_checkpoints([pickled], tmp_path / FUSION, layouts()))
    assert same(read_exposer(tmp_path), written)


def test_a_wider_fusion_is_seen_by_its_shape(tmp_path: Path) -> None:
    released(tmp_path, 0)
    save_file({"weight_conv.weight": torch.ones(4, 1, 3, 3), "weight_conv.bias": torch.ones(4)}, tmp_path / FUSION)
    assert read_exposer(tmp_path).fusion.weight_conv.padding == (1, 1)


def test_a_denoiser_of_one_latent_is_refused(tmp_path: Path) -> None:
    exposer = released(tmp_path, 0)
    exposer.denoiser.register_to_config(in_channels=4)
    exposer.denoiser.save_config(tmp_path / "unet")
    with pytest.raises(WeightsError, match="in_channels is 4 instead of 8"):
        read_exposer(tmp_path)


def test_other_presets_are_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only the preset paper"):
        read_folder(load("lediff").presets["compact"].settings, tmp_path)
