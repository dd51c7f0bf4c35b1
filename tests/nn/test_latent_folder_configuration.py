"""Configurations found out by shapes, against those that Stable Diffusion was published with."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from headroom.nn.latent.diffusers_models import AutoencoderKL, UNet2DConditionModel
from headroom.nn.latent.folder_configuration import (
    Shapes,
    autoencoder_configuration,
    denoiser_configuration,
    text_configuration,
)
from headroom.nn.latent.keymap_text import clip_table

UNET = {"cross_attention_dim": 768, "attention_head_dim": 8, "use_linear_projection": False}
UNET_2 = {"cross_attention_dim": 1024, "attention_head_dim": [5, 10, 20, 20], "use_linear_projection": True}
TEXT = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "hidden_act": "quick_gelu"}
TEXT_2 = {"hidden_size": 1024, "num_hidden_layers": 23, "num_attention_heads": 16, "hidden_act": "gelu"}
VAE = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
}


def shapes_of(network: nn.Module) -> Shapes:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


@pytest.mark.parametrize("published", [UNET, UNET_2])
def test_the_denoiser_is_told_by_its_shapes(published: dict[str, Any]) -> None:
    with torch.device("meta"):
        shapes = shapes_of(UNet2DConditionModel(**published))
        found = denoiser_configuration(shapes)
        assert shapes_of(UNet2DConditionModel.from_config(found)) == shapes
    assert {key: found.get(key, False) for key in published} == published


def test_the_autoencoder_is_told_by_its_shapes() -> None:
    with torch.device("meta"):
        shapes = shapes_of(AutoencoderKL(**VAE))
        assert shapes_of(AutoencoderKL.from_config(autoencoder_configuration(shapes))) == shapes


@pytest.mark.parametrize(("published", "numbers"), [(TEXT, 123_060_480), (TEXT_2, 340_387_840)])
def test_the_text_encoder_is_told_by_its_shapes(published: dict[str, Any], numbers: int) -> None:
    from transformers import CLIPTextConfig, CLIPTextModel

    with torch.device("meta"):
        network = CLIPTextModel(CLIPTextConfig(**published, intermediate_size=4 * published["hidden_size"]))
        prefixed = {f"text_model.{name.removeprefix('text_model.')}": x for name, x in shapes_of(network).items()}
        assert prefixed.keys() == clip_table(published["num_hidden_layers"]).keys()
        found = text_configuration(prefixed, second_version=published is TEXT_2)
        again = CLIPTextModel(CLIPTextConfig(**found))
    assert shapes_of(again) == shapes_of(network)
    assert sum(parameter.numel() for parameter in again.parameters()) == numbers
    assert {key: found[key] for key in published} == published
