"""How the preset of the method is built and run."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor, nn

from headroom.methods.contract import Capabilities, GenerateInput, Method, Preset, Progress
from headroom.methods.latent_prior.folder import read_folder
from headroom.methods.latent_prior.network import TrainedPrior
from headroom.nn.latent.prior import AUTOENCODER_FACTOR, LatentPrior
from headroom.nn.latent.sampling import sample
from headroom.nn.latent.settings import COMPACT, STABLE_DIFFUSION_2, LatentPriorSettings
from headroom.nn.latent.tiling import decode_tiled, decode_wrapping
from headroom.nn.wrapping import AroundTheBack


def build(settings: LatentPriorSettings) -> nn.Module:
    """Make the network, with random weights."""
    return TrainedPrior.of(settings)


def draw(network: nn.Module, inputs: GenerateInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Draw latents from noise; see `Method.draw`."""
    prior = _as_prior(network)
    height, width = inputs.height_px // AUTOENCODER_FACTOR, inputs.width_px // AUTOENCODER_FACTOR
    shape = (inputs.batch, prior.channels, height, width)
    sampling = inputs.sampling
    wanted = prior.read([sampling.prompt] * inputs.batch)
    guided = wanted is not None and sampling.guidance != 1
    with AroundTheBack() if inputs.wraps else nullcontext():
        return sample(
            prior,
            shape,
            sampling.steps,
            generator,
            progress,
            context=wanted,
            unwanted=prior.read([sampling.negative_prompt] * inputs.batch) if guided else None,
            guidance=sampling.guidance,
        )


def run(network: nn.Module, inputs: GenerateInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Draw pictures from noise; see `Method.run`."""
    decode = decode_wrapping if inputs.wraps else decode_tiled
    return decode(_as_prior(network), draw(network, inputs, generator, progress))


def _as_prior(network: nn.Module) -> LatentPrior:
    if not isinstance(network, LatentPrior):
        raise TypeError(f"{type(network).__name__} is not a network of latent_prior")
    return network


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
        ),
        "stable_diffusion": Preset(
            STABLE_DIFFUSION_2,
            Capabilities(size_multiple=64, minimum_size_px=64, peak_bytes_per_pixel=6000, needs_prompt=True),
            weights=(),
            summary="Stable Diffusion 1.x or 2.x from a folder, steered by words",
        ),
    },
    build=build,
    run=run,
    draw=draw,
    read_folder=read_folder,
)
