"""What tests of several methods build on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headroom.nn.latent.settings import COMPACT, LatentPriorSettings


@pytest.fixture(scope="session")
def tiny_prior() -> LatentPriorSettings:
    """A latent prior like the one that ships, but thin."""
    autoencoder = {"block_out_channels": (8, 8, 8), "norm_num_groups": 4}
    denoiser = {
        "block_out_channels": (8, 16, 16),
        "norm_num_groups": 4,
        "attention_head_dim": (1, 2, 2),
        "cross_attention_dim": 8,
    }
    return replace(
        COMPACT, autoencoder={**COMPACT.autoencoder, **autoencoder}, denoiser={**COMPACT.denoiser, **denoiser}
    )
