"""Refiners in the shapes of both presets, with few channels."""

from __future__ import annotations

import torch
from latent_tiny import TINY
from torch import nn

from headroom.methods.gmodiff.method import build
from headroom.methods.gmodiff.refiner import Refiner
from headroom.methods.gmodiff.settings import CompactSettings, DaRegSettings, RefinerSettings
from headroom.nn.gain_network import GainNetworkSettings
from headroom.nn.latent.settings import LatentPriorSettings

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
        denoiser=TINY.denoiser,
        patch_px=2,
        context_tokens=3,
    ),
    reduction=2,
    keeps_map=True,
    expecting=GainNetworkSettings((8, 8), (1, 1), 8),
)
"""The preset that ships: on a prior of its own, at half the size."""
PAPER = RefinerSettings(DaRegSettings((4, 8, 8, 8, 8), (2, 2, 2, 4), (1, 1, 1, 1), (1, 1, 1, 1), 4), TINY)
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
