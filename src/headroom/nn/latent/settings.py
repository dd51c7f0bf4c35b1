"""The sizes of a latent prior: the one that ships and those of Stable Diffusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Prediction = Literal["epsilon", "v_prediction"]
"""What a denoiser estimates: the noise, or the velocity of Salimans and Ho 2022."""


@dataclass(frozen=True, slots=True)
class LatentPriorSettings:
    """Numbers of a latent prior.

    Attributes:
        autoencoder: Configuration of diffusers' `AutoencoderKL`.
        denoiser: Configuration of diffusers' `UNet2DConditionModel`.
        patch_px: Side of the squares of pixels that the autoencoder sees as the channels of one cell.
        context_tokens: Learned vectors that the denoiser attends to where others have words; 0 where words are given.
        latent_deviation: Deviation of the autoencoder's own latents, where it is not measured in training.
        prediction: What the denoiser estimates.
    """

    autoencoder: Mapping[str, Any]
    denoiser: Mapping[str, Any]
    patch_px: int = 1
    context_tokens: int = 0
    latent_deviation: float | None = None
    prediction: Prediction = "epsilon"


def _compact() -> LatentPriorSettings:
    # Squares of 2 x 2 pixels as channels spare the level that costs most: the one at full size.
    return LatentPriorSettings(
        autoencoder=MappingProxyType(
            {
                "in_channels": 12,
                "out_channels": 12,
                "latent_channels": 4,
                "block_out_channels": (48, 96, 128),
                "layers_per_block": 1,
                "down_block_types": ("DownEncoderBlock2D",) * 3,
                "up_block_types": ("UpDecoderBlock2D",) * 3,
                "norm_num_groups": 16,
                "mid_block_add_attention": False,
            }
        ),
        denoiser=MappingProxyType(
            {
                "in_channels": 4,
                "out_channels": 4,
                "block_out_channels": (64, 128, 192),
                "layers_per_block": 1,
                "down_block_types": ("DownBlock2D",) * 3,
                "up_block_types": ("UpBlock2D",) * 3,
                "mid_block_type": "UNetMidBlock2DCrossAttn",
                "norm_num_groups": 16,
                "attention_head_dim": (2, 4, 6),  # diffusers' name for the number of heads
                "cross_attention_dim": 64,
                "use_linear_projection": True,
            }
        ),
        patch_px=2,
        context_tokens=4,
    )


def _stable_diffusion(**of_the_version: object) -> LatentPriorSettings:
    return LatentPriorSettings(
        autoencoder=MappingProxyType(
            {
                "block_out_channels": (128, 256, 512, 512),
                "down_block_types": ("DownEncoderBlock2D",) * 4,
                "up_block_types": ("UpDecoderBlock2D",) * 4,
                "layers_per_block": 2,
                "latent_channels": 4,
            }
        ),
        # All else is as diffusers has it by default.
        denoiser=MappingProxyType({"in_channels": 4, "out_channels": 4, **of_the_version}),
        latent_deviation=1 / 0.18215,
    )


COMPACT = _compact()
"""The one that is trained here."""

STABLE_DIFFUSION_1 = _stable_diffusion(cross_attention_dim=768, attention_head_dim=8)

STABLE_DIFFUSION_2 = _stable_diffusion(
    cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20), use_linear_projection=True
)
"""Stable Diffusion 2.1-base; the 2.1 of 768 pixels estimates velocities."""
