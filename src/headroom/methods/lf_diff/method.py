"""How each preset of the method is built and run."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from headroom.methods.contract import Capabilities, MergeInput, Method, Preset, Progress
from headroom.methods.lf_diff.compact import CompactNetwork
from headroom.methods.lf_diff.network import light
from headroom.methods.lf_diff.paper import SIZE_MULTIPLE, PaperNetwork, PaperSettings


@dataclass(frozen=True, slots=True)
class CompactSettings:
    """Numbers of the compact network; see `CompactNetwork`."""

    channels: tuple[int, int, int] = (32, 48, 64)
    prior_channels: int = 4
    prior_width: int = 32
    condition_channels: int = 16
    denoiser_width: int = 32


def build(settings: CompactSettings | PaperSettings) -> nn.Module:
    """Make the network of a preset, with random weights."""
    if isinstance(settings, PaperSettings):
        return PaperNetwork(settings)
    return CompactNetwork(
        settings.channels,
        settings.prior_channels,
        settings.prior_width,
        settings.condition_channels,
        settings.denoiser_width,
    )


def run(network: nn.Module, inputs: MergeInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Merge N brackets into N x 3 x H x W light; see `Method.run`."""
    merged = light(network(inputs, None, generator))
    progress(1.0)
    return merged


_PAPER = Capabilities(
    size_multiple=SIZE_MULTIPLE,
    minimum_size_px=SIZE_MULTIPLE,
    tile_px=512,
    overlap_px=64,
    peak_bytes_per_pixel=4500,
    frames=(3, 3),
)

METHOD = Method(
    id="lf_diff",
    verb="merge",
    summary="LF-Diff: attention to the reference, a diffused prior of low frequencies, high and low refined apart",
    presets={
        "compact": Preset(
            CompactSettings(),
            Capabilities(
                size_multiple=16,
                minimum_size_px=16,
                tile_px=512,
                overlap_px=96,
                peak_bytes_per_pixel=700,
                frames=(3, 3),
            ),
            weights=("lf_diff-compact",),
            summary="ours, trained here: blends the frames' own pixels",
        ),
        "paper": Preset(PaperSettings(), _PAPER, (), "the paper's network as far as it is written down"),
        "paper_matched": Preset(
            PaperSettings(blocks_before=2, blocks_high=3),
            _PAPER,
            (),
            "the same with the paper's number of parameters",
        ),
    },
    build=build,
    run=run,
)
