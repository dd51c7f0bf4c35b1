"""How each preset of the method is built and run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from headroom.methods.contract import Capabilities, MergeInput, Method, Preset, Progress
from headroom.methods.gmodiff.adapting import plain
from headroom.methods.gmodiff.folder import read_folder
from headroom.methods.gmodiff.refiner import Refined, Refiner
from headroom.methods.gmodiff.regressor import Regression
from headroom.methods.gmodiff.regressors import build_regressor
from headroom.methods.gmodiff.settings import (
    COMPACT_REFINER,
    PAPER_REFINER,
    CompactSettings,
    DaRegSettings,
    RefinerSettings,
)
from headroom.weights.reader import without_prefix

Settings = CompactSettings | DaRegSettings | RefinerSettings


def build(settings: Settings) -> nn.Module:
    """Make the network of a preset, with random weights."""
    if not isinstance(settings, RefinerSettings):
        return build_regressor(settings)
    refiner = Refiner.of(settings.prior)
    refiner.start(build_regressor(settings.regressor), settings)
    return refiner.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def run(network: nn.Module, inputs: MergeInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Merge N brackets into N x 4 x H x W light and its chance to be wrong; see `Method.run`."""
    del generator  # nothing is drawn
    found: Regression | Refined = network(inputs)
    progress(1.0)
    return torch.cat((found.light, found.doubt), dim=1)


def own_names(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Give the weights of a refiner, trained or ready, with its adapters folded in, or those of a regressor.

    The released regressor, `dareg_mask.pth`, was perhaps saved from several GPUs.
    """
    if any(name.startswith("denoiser.") for name in state):
        return plain(state)
    return without_prefix(without_prefix(state, "state_dict."), "module.")


_COMPACT = Capabilities(
    size_multiple=64,
    minimum_size_px=64,
    tile_px=512,
    overlap_px=128,
    peak_bytes_per_pixel=1500,
    exact_tiles=False,
    half_precision=True,
    frames=(3, 3),
)

METHOD = Method(
    id="gmodiff",
    verb="merge",
    summary="GMODiff: a gain map over the reference's picture, and where it is unreliable",
    presets={
        "compact": Preset(
            COMPACT_REFINER,
            _COMPACT,
            weights=("latent_prior-autoencoder", "latent_prior-denoiser", "hybrid_ae-compact", "gmodiff-refiner"),
            summary="ours: the regressed map, changed by one step of the compact latent prior where it is in doubt",
        ),
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
        "compact_unguided": Preset(
            replace(COMPACT_REFINER, guided=False),
            _COMPACT,
            weights=(),
            summary="an ablation of compact: the step knows nothing of the doubt",
        ),
        "paper": Preset(
            PAPER_REFINER,
            Capabilities(
                size_multiple=64,
                minimum_size_px=64,
                tile_px=768,
                overlap_px=256,
                peak_bytes_per_pixel=8000,
                exact_tiles=False,
                frames=(3, 3),
            ),
            weights=(),
            summary="as released, read from a folder: DaReg, then one step of Stable Diffusion 2.1-base",
        ),
    },
    build=build,
    run=run,
    own_names=own_names,
    read_folder=read_folder,
)
