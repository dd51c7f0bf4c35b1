"""How each preset of the method is built and run."""

from __future__ import annotations

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
from headroom.nn.gain_network import GainNetwork, GainNetworkSettings, expected_gain

Settings = GainNetworkSettings | PaperSettings | UNetSettings


def build(settings: Settings) -> nn.Module:
    """Make the network of a preset, with random weights."""
    match settings:
        case GainNetworkSettings():
            return GainNetwork(settings)
        case PaperSettings():
            return build_paper(settings)
        case UNetSettings():
            return build_unet(settings)


def run(network: nn.Module, inputs: ExpandInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Predict N x 3 x H x W log2 gain; see `Method.run`."""
    if not isinstance(network, GainNetwork):
        return run_paper(network, inputs, generator, progress)
    gain = expected_gain(network, inputs.encoded, inputs.clipped)
    progress(1.0)
    return gain


_TILED = Capabilities(
    size_multiple=SIZE_MULTIPLE, minimum_size_px=SIZE_MULTIPLE, tile_px=512, overlap_px=128, peak_bytes_per_pixel=2000
)

METHOD = Method(
    id="hybrid_ae",
    verb="expand",
    summary="Hybrid autoencoder: a strong encoder, a light U-Net decoder, log-domain output",
    presets={
        "compact": Preset(
            GainNetworkSettings(),
            Capabilities(size_multiple=32, minimum_size_px=32, working_side_px=384, peak_bytes_per_pixel=700),
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
