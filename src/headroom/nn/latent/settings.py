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
        latent_deviation: Deviation by which latents are divided, until training measures it.
        prediction: What the denoiser estimates.
    """

    autoencoder: Mapping[str, Any]
    denoiser: Mapping[str, Any]
    patch_px: int = 1
    context_tokens: int = 0
    latent_deviation: float = 1.0
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


COMPACT = _compact()
