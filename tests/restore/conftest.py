"""Random weights of the compact network, for what has to hold whatever was learnt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from headroom.methods import load
from headroom.weights.writer import pack


@pytest.fixture(scope="session")
def compact_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give weights whose gain differs from cell to cell and from photo to photo."""
    torch.manual_seed(5)
    method = load("hybrid_ae")
    network = method.build(method.presets["compact"].settings)
    for name, parameter in network.named_parameters():
        if not parameter.any():  # as built, the last layers ignore their input
            nn.init.normal_(parameter, std=0.3 if name.startswith("head") else 0.05)
    path = tmp_path_factory.mktemp("weights") / "compact.safetensors"
    pack(network.state_dict(), path, {})
    return path
