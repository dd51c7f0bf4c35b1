"""How each preset of the method is built and run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from headroom.methods.contract import Capabilities, MergeInput, Method, Preset, Progress
from headroom.methods.gmodiff.compact import CompactRegressor
from headroom.methods.gmodiff.dareg import DaReg
from headroom.methods.gmodiff.regressor import Regression, Regressor
from headroom.weights.reader import without_prefix


@dataclass(frozen=True, slots=True)
class CompactSettings:
    """Numbers of the compact regressor; see `CompactRegressor`."""

    channels: tuple[int, ...] = (32, 48, 64, 96)
    blocks_down: tuple[int, ...] = (1, 1, 1)
    blocks_up: tuple[int, ...] = (1, 1, 2)
    mask_channels: int = 8


@dataclass(frozen=True, slots=True)
class DaRegSettings:
    """Numbers of the paper's regressor; see `DaReg`."""

    channels: tuple[int, ...] = (64, 128, 256, 512, 1024)
    factors: tuple[int, ...] = (2, 2, 2, 4)
    blocks_down: tuple[int, ...] = (2, 4, 4, 8)
    blocks_up: tuple[int, ...] = (2, 2, 2, 2)
    mask_channels: int = 16


def build(settings: CompactSettings | DaRegSettings) -> Regressor:
    """Make the network of a preset, with random weights."""
    match settings:
        case CompactSettings(channels, blocks_down, blocks_up, mask_channels):
            return CompactRegressor(channels, blocks_down, blocks_up, mask_channels)
        case DaRegSettings(channels, factors, blocks_down, blocks_up, mask_channels):
            return DaReg(channels, factors, blocks_down, blocks_up, mask_channels)


def run(network: nn.Module, inputs: MergeInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Merge N brackets into N x 3 x H x W light; see `Method.run`."""
    del generator  # nothing is drawn
    regression: Regression = network(inputs)
    progress(1.0)
    return regression.light


def own_names(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Take the network out of the released `dareg_mask.pth`, which was perhaps saved from several GPUs."""
    return without_prefix(without_prefix(state, "state_dict."), "module.")


METHOD = Method(
    id="gmodiff",
    verb="merge",
    summary="GMODiff: a gain map over the reference's picture, and where it is unreliable",
    presets={
        "regressor": Preset(
            CompactSettings(),
            Capabilities(
                size_multiple=16,
                minimum_size_px=16,
                tile_px=512,
                overlap_px=96,
                peak_bytes_per_pixel=1300,
                frames=(3, 3),
            ),
            weights=("gmodiff-regressor",),
            summary="ours, regression only: blends the frames' own pixels",
        ),
        "regressor_paper": Preset(
            DaRegSettings(),
            Capabilities(
                size_multiple=32,
                minimum_size_px=32,
                tile_px=512,
                overlap_px=128,
                peak_bytes_per_pixel=3500,
                frames=(3, 3),
            ),
            weights=(),
            summary="the paper's DaReg with its mask head, 48.3 M parameters; regression only",
        ),
    },
    build=build,
    run=run,
    own_names=own_names,
)
