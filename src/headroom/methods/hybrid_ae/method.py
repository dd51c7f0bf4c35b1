"""How each preset of the method is built and run."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from headroom.methods.contract import Capabilities, ExpandInput, Method, Preset, Progress
from headroom.methods.hybrid_ae.paper import (
    MODEL_A,
    MODEL_B,
    PAPER,
    SIZE_MULTIPLE,
    PaperSettings,
    build_paper,
    run_paper,
)
from headroom.methods.hybrid_ae.unet import UNET, UNetSettings, build_unet
from headroom.nn.gain_network import GainNetwork


@dataclass(frozen=True, slots=True)
class CompactSettings:
    """Numbers of the compact network; see `GainNetwork`."""

    channels: tuple[int, ...] = (32, 48, 80, 128, 192)
    depths: tuple[int, ...] = (2, 2, 2, 2, 2)
    context: int = 192


Settings = CompactSettings | PaperSettings | UNetSettings


def build(settings: Settings) -> nn.Module:
    """Make the network of a preset, with random weights."""
    match settings:
        case CompactSettings(channels, depths, context):
            return GainNetwork(channels, depths, context)
        case PaperSettings():
            return build_paper(settings)
        case UNetSettings():
            return build_unet(settings)


def run(network: nn.Module, inputs: ExpandInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Predict N x 3 x H x W log2 gain; see `Method.run`."""
    if not isinstance(network, GainNetwork):
        return run_paper(network, inputs, generator, progress)
    # The mean over a photo and its mirror image errs less than either, at hardly any cost.
    gain: Tensor = network(inputs.encoded, inputs.clipped)
    progress(0.5)
    mirrored: Tensor = network(inputs.encoded.flip(3), inputs.clipped.flip(3))
    progress(1.0)
    return (gain + mirrored.flip(3)) / 2


_TILED = Capabilities(
    size_multiple=SIZE_MULTIPLE, minimum_size_px=SIZE_MULTIPLE, tile_px=512, overlap_px=128, peak_bytes_per_pixel=2000
)

METHOD = Method(
    id="hybrid_ae",
    verb="expand",
    summary="Hybrid autoencoder: a strong encoder, a light U-Net decoder, log-domain output",
    presets={
        "compact": Preset(
            CompactSettings(),
            Capabilities(size_multiple=32, minimum_size_px=32, working_side_px=320, peak_bytes_per_pixel=700),
            weights=("hybrid_ae-compact",),
            summary="ours, trained here: the whole photo at once, log2 gain per channel",
        ),
        "paper": Preset(PAPER, _TILED, (), "the slides' network: MobileNetV3-Large, PixelShuffle, InstanceNorm"),
        "model_b": Preset(MODEL_B, _TILED, (), "the released 4.4 M layout: transposed convolutions, InstanceNorm"),
        "model_a": Preset(MODEL_A, _TILED, (), "the released 104 M layout: PixelShuffle, no normalisation"),
        "unet": Preset(UNET, _TILED, (), "the plain U-Net that the authors compared with"),
    },
    build=build,
    run=run,
)
