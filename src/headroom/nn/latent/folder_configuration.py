"""What `config.json` says in a Stable Diffusion folder, found out by the shapes of its weights.

Versions 1.x and 2.x differ in their widths, and in three things that no width tells: the attention's heads, the kind of
its projections, and the activation of the text encoder. The kind of projections is seen in a shape, and tells the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headroom.nn.latent.schedule import BETAS, STEPS
from headroom.nn.latent.settings import STABLE_DIFFUSION_1, STABLE_DIFFUSION_2, Prediction

Shapes = Mapping[str, tuple[int, ...]]
"""Of the weights of one network, by their names in diffusers or transformers."""

_HEAD = 64
"""Numbers per head of the text encoders, and of the denoiser of 2.x; that of 1.x has 8 heads everywhere."""


def is_second_version(denoiser: Shapes) -> bool:
    """Tell Stable Diffusion 2.x from 1.x, whose attentions project by convolutions."""
    return len(denoiser["down_blocks.0.attentions.0.proj_in.weight"]) == 2


def denoiser_configuration(shapes: Shapes) -> dict[str, Any]:
    """Describe a `UNet2DConditionModel`."""
    second = is_second_version(shapes)
    widths = list(_widths(shapes, "down_blocks"))
    return {
        **(STABLE_DIFFUSION_2 if second else STABLE_DIFFUSION_1).denoiser,
        "in_channels": shapes["conv_in.weight"][1],
        "out_channels": shapes["conv_out.weight"][0],
        "block_out_channels": widths,
        "cross_attention_dim": shapes["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"][1],
        "attention_head_dim": [max(1, width // _HEAD) for width in widths]
        if second
        else 8,  # their number, despite its name
    }


def autoencoder_configuration(shapes: Shapes) -> dict[str, Any]:
    """Describe an `AutoencoderKL`."""
    return {
        **STABLE_DIFFUSION_1.autoencoder,
        "block_out_channels": list(_widths(shapes, "encoder.down_blocks")),
        "latent_channels": shapes["decoder.conv_in.weight"][1],
        "scaling_factor": 0.18215,
    }


def text_configuration(shapes: Shapes, *, second_version: bool) -> dict[str, Any]:
    """Describe a `CLIPTextModel`."""
    words, width = shapes["text_model.embeddings.token_embedding.weight"]
    return {
        "architectures": ["CLIPTextModel"],
        "model_type": "clip_text_model",
        "vocab_size": words,
        "hidden_size": width,
        "intermediate_size": shapes["text_model.encoder.layers.0.mlp.fc1.weight"][0],
        "num_hidden_layers": sum(name.endswith(".layer_norm1.weight") for name in shapes),
        "num_attention_heads": max(1, width // _HEAD),
        "max_position_embeddings": shapes["text_model.embeddings.position_embedding.weight"][0],
        "hidden_act": "gelu" if second_version else "quick_gelu",
        "bos_token_id": words - 2,
        "eos_token_id": words - 1,
        "pad_token_id": 0 if second_version else words - 1,
    }


def scheduler_configuration(prediction: Prediction) -> dict[str, Any]:
    """Describe the schedule, which is the same in both versions; the weights do not tell what is predicted."""
    return {
        "_class_name": "DDPMScheduler",
        "num_train_timesteps": STEPS,
        "beta_start": BETAS[0],
        "beta_end": BETAS[1],
        "beta_schedule": "scaled_linear",
        "prediction_type": prediction,
        "clip_sample": False,
    }


def _widths(shapes: Shapes, blocks: str) -> Iterator[int]:
    """Yield the width of each level of an encoder."""
    for level in range(4):
        yield shapes[f"{blocks}.{level}.resnets.0.conv1.weight"][0]
