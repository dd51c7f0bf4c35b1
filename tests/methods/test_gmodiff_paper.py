"""The paper's network at its own size, without memory: what it is made of, and how large that is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headroom.methods.gmodiff.keymap import layouts
from headroom.methods.gmodiff.method import METHOD
from headroom.methods.gmodiff.refiner import Refiner
from headroom.nn.latent.keymap import condition_encoder_table, unet_table, vae_table


@pytest.fixture(scope="module")
def network() -> Refiner:
    with torch.device("meta"):
        built = METHOD.build(METHOD.presets["paper"].settings)
    assert isinstance(built, Refiner)
    return built


def numbers(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_its_names_are_those_of_stable_diffusion_and_of_what_was_added(network: Refiner) -> None:
    names = set(network.state_dict())
    of_prior = {
        *(f"denoiser.{name}" for name in unet_table()),
        *(f"autoencoder.{name}" for name in vae_table()),
        *(f"condition_encoder.{name}" for name in condition_encoder_table()),
    }
    assert of_prior <= names
    assert {name.split(".")[0] for name in names - of_prior} == {"regressor", "tokens", "skips"}
    assert len(names) == 686 + 248 + 108 + 532 + 18 + 4 * 5


def test_its_parts_are_as_large_as_published(network: Refiner) -> None:
    assert numbers(network.denoiser) == 865_910_724 + 320 * 4 * 3 * 3  # Stable Diffusion 2.1-base, with a wider layer
    assert network.denoiser.conv_in.weight.shape == (320, 8, 3, 3)
    assert network.denoiser.conv_out.weight.shape == (4, 320, 3, 3)
    assert numbers(network.autoencoder) == 83_653_863
    assert numbers(network.regressor) == 48_329_220
    assert numbers(network.tokens) == 5_658_368
    assert numbers(network.skips) == 1_049_600 + 918_528 + 852_992 + 360_960


def test_every_released_tensor_has_a_place_and_a_fitting_layer(network: Refiner) -> None:
    names = network.state_dict().keys()
    for layout in layouts():
        prefix = "regressor." if layout.name == "gmodiff_dareg" else ""
        for part in layout.parts:
            for name in part.tables[0]:
                layer, half, _ = name.partition(".lora_")
                assert prefix + (f"{layer}.weight" if half else name) in names
