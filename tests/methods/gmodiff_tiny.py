"""Refiners in the shapes of both presets, with few channels, and brackets for them."""

from __future__ import annotations

import torch
from torch import nn

from headroom.methods.contract import MergeBatch
from headroom.methods.gmodiff.method import build
from headroom.methods.gmodiff.refiner import Refiner
from headroom.methods.gmodiff.settings import CompactSettings, DaRegSettings, RefinerSettings
from headroom.nn.latent.settings import LatentPriorSettings

_DENOISER = {
    "block_out_channels": (8, 16),
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "cross_attention_dim": 12,
}
COMPACT = RefinerSettings(
    CompactSettings((8, 8, 8), (1, 1), (1, 1), 4),
    LatentPriorSettings(
        autoencoder={
            "in_channels": 12,
            "out_channels": 12,
            "block_out_channels": (4, 8, 8),
            "down_block_types": ("DownEncoderBlock2D",) * 3,
            "up_block_types": ("UpDecoderBlock2D",) * 3,
            "layers_per_block": 1,
            "latent_channels": 4,
            "norm_num_groups": 2,
            "mid_block_add_attention": False,
        },
        denoiser=_DENOISER,
        patch_px=2,
        context_tokens=3,
    ),
    reduction=2,
    keeps_map=True,
)
"""The preset that ships: on a prior of its own, at half the size."""
PAPER = RefinerSettings(
    DaRegSettings((4, 8, 8, 8, 8), (2, 2, 2, 4), (1, 1, 1, 1), (1, 1, 1, 1), 4),
    LatentPriorSettings(
        autoencoder={
            "block_out_channels": (4, 4, 8, 8),
            "down_block_types": ("DownEncoderBlock2D",) * 4,
            "up_block_types": ("UpDecoderBlock2D",) * 4,
            "layers_per_block": 1,
            "latent_channels": 4,
            "norm_num_groups": 2,
        },
        denoiser=_DENOISER,
        latent_deviation=1 / 0.18215,
    ),
)
"""The released network: on Stable Diffusion."""


def refiner(settings: RefinerSettings) -> Refiner:
    """Make one whose regressor does something."""
    torch.manual_seed(0)
    made = build(settings)
    assert isinstance(made, Refiner)
    for parameter in made.regressor.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return made.eval()


def moved(network: nn.Module) -> None:
    """Change everything that learns and is still 0."""
    torch.manual_seed(1)
    for parameter in network.parameters():
        if parameter.requires_grad and not parameter.any():
            nn.init.normal_(parameter, std=0.1)


def moving(count: int = 2, side_px: int = 64) -> MergeBatch:
    """Brackets of coloured noise in which a square hops."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(count, 3, side_px, side_px, generator=generator) ** 2
    light = truth[:, None].repeat(1, 3, 1, 1, 1)
    light[:, 0, :, 4:12, 4:12], light[:, 2, :, 16:24, 8:16] = 0.1, 0.3
    exposure = torch.tensor([[1.0, 4.0, 16.0]]).expand(count, 3)
    own = (light * exposure.view(count, 3, 1, 1, 1)).clamp(max=1)
    linear = own / exposure.view(count, 3, 1, 1, 1)
    return MergeBatch(own ** (1 / 2.2), linear, exposure, torch.ones(count, dtype=torch.long), truth)
