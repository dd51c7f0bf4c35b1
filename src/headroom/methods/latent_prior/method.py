"""How the preset of the method is built and run."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headroom.methods.contract import Capabilities, GenerateInput, Method, Preset, Progress
from headroom.methods.latent_prior.network import TrainedPrior
from headroom.nn.latent.prior import AUTOENCODER_FACTOR, LatentPrior
from headroom.nn.latent.sampling import sample
from headroom.nn.latent.settings import COMPACT, LatentPriorSettings
from headroom.nn.latent.tiling import decode_tiled, decode_wrapping
from headroom.nn.wrapping import AroundTheBack


def build(settings: LatentPriorSettings) -> nn.Module:
    """Make the network, with random weights."""
    return TrainedPrior.of(settings)


def run(network: nn.Module, inputs: GenerateInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Draw pictures from noise; see `Method.run`."""
    if not isinstance(network, LatentPrior):
        raise TypeError(f"{type(network).__name__} is not a network of latent_prior")
    height, width = inputs.height_px // AUTOENCODER_FACTOR, inputs.width_px // AUTOENCODER_FACTOR
    shape = (inputs.batch, network.channels, height, width)
    steps = inputs.sampling.steps
    if not inputs.wraps:
        return decode_tiled(network, sample(network, shape, steps, generator, progress))
    with AroundTheBack():
        latents = sample(network, shape, steps, generator, progress)
    return decode_wrapping(network, latents)


METHOD = Method(
    id="latent_prior",
    verb="generate",
    summary="A small latent diffusion model: draws pictures from noise, and other methods draw on it",
    presets={
        "compact": Preset(
            COMPACT,
            Capabilities(size_multiple=32, minimum_size_px=32, peak_bytes_per_pixel=700),
            weights=("latent_prior-autoencoder", "latent_prior-denoiser"),
            summary="ours, trained here on panoramas: textures and light, no objects",
        )
    },
    build=build,
    run=run,
)
