"""The floor: only the curve is inverted, nothing is filled in."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headroom.methods.contract import Capabilities, ExpandInput, Method, Preset, Progress


def _run(network: nn.Module, inputs: ExpandInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Give a gain of zero stops everywhere."""
    del network, generator
    progress(1.0)
    return torch.zeros_like(inputs.encoded)


METHOD = Method(
    id="linear",
    verb="expand",
    summary="Inverse curve only: the floor that every method must beat",
    presets={
        "default": Preset(
            settings=None,
            capabilities=Capabilities(working_side_px=32, invents_content=False),
            weights=(),
            summary="no network",
        )
    },
    build=lambda _settings: nn.Identity(),
    run=_run,
)
