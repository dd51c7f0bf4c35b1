"""How each preset of the method is built and run."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headroom.methods.contract import Capabilities, EnhanceInput, Method, Preset, Progress
from headroom.methods.sagiri.keymap import own_names
from headroom.methods.sagiri.latent_swinir import COMPACT, PAPER, LatentSwinIR, LatentSwinIRSettings
from headroom.methods.sagiri.refine import refine
from headroom.methods.sagiri.refiner import COMPACT_REFINER, PAPER_REFINER, Refiner, RefinerSettings, build_refiner
from headroom.methods.sagiri.refiner_folder import read_folder


def build(settings: LatentSwinIRSettings | RefinerSettings) -> nn.Module:
    """Make the network of a preset, with random weights."""
    return build_refiner(settings) if isinstance(settings, RefinerSettings) else LatentSwinIR(settings)


def run(network: nn.Module, inputs: EnhanceInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Expose N photos well, or make up what N well-exposed ones do not show; see `Method.run`."""
    if isinstance(network, Refiner):
        return refine(network, inputs, generator, progress)
    # The mean over a photo and its mirror image errs less than either.
    exposed: Tensor = network(inputs.encoded)
    progress(0.5)
    mirrored: Tensor = network(inputs.encoded.flip(3))
    progress(1.0)
    return (exposed + mirrored.flip(3)) / 2


METHOD = Method(
    id="sagiri",
    verb="enhance",
    summary="Sagiri: stage 1 maps brightness and colours, stage 2 makes up what the photo does not show",
    presets={
        "compact": Preset(
            COMPACT,
            Capabilities(working_side_px=384, invents_content=False, peak_bytes_per_pixel=700),
            weights=("sagiri-compact",),
            summary="stage 1, ours: gives each pixel a map of its colour",
        ),
        "paper": Preset(
            PAPER,
            Capabilities(working_side_px=1024, invents_content=False, peak_bytes_per_pixel=1500),
            weights=(),
            summary="stage 1 as released: Latent-SwinIRc",
        ),
        "refine": Preset(
            COMPACT_REFINER,
            Capabilities(tile_px=768, peak_bytes_per_pixel=450, half_precision=True),
            weights=("latent_prior-autoencoder", "latent_prior-denoiser", "sagiri-control"),
            summary="stage 2, ours: makes up what a mask marks, on the compact latent prior",
        ),
        "refine_paper": Preset(
            PAPER_REFINER,
            Capabilities(tile_px=512, peak_bytes_per_pixel=6000, half_precision=True, needs_prompt=True),
            weights=(),
            summary="stage 2 as released: on Stable Diffusion 2.1, steered by words",
        ),
    },
    build=build,
    run=run,
    own_names=own_names,
    read_folder=read_folder,
)
