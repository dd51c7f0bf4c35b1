"""Sagiri's second stage in use: made-up content for what a photo does not show (Sagiri, section 3.2).

Latents of the unknown region are drawn from noise, in tiles that touch it; everything else stays the first stage's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from headroom.errors import UsageError
from headroom.methods.contract import EnhanceInput, Progress, Sampling
from headroom.methods.sagiri.colour_fix import cross_fade, fix_colours
from headroom.methods.sagiri.latent_swinir import reflect_to_multiple
from headroom.methods.sagiri.latent_tiles import LatentTile, mixed, tiles_touching
from headroom.methods.sagiri.masked_sampling import PredictNoise, latent_mask, sample_masked
from headroom.methods.sagiri.refiner import Refiner
from headroom.nn.latent.prior import AUTOENCODER_FACTOR
from headroom.nn.latent.schedule import spaced_schedule
from headroom.nn.latent.tiling import decode_tiled, encode_tiled


@torch.no_grad()
def refine(network: Refiner, inputs: EnhanceInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Make up the unknown region of N well-exposed pictures: N x 3 x H x W code values, which may leave [0, 1].

    Farther from the region than the cross-fade reaches, every value is the one that was given.

    Raises:
        UsageError: Words are given to a prior that reads none.
    """
    _refuse_words(inputs.sampling)
    if not inputs.unknown.any():
        progress(1.0)
        return inputs.encoded
    generated = _generate(network, inputs, generator, progress)
    return cross_fade(generated, inputs.encoded, inputs.unknown, network.options.band_px)


def _refuse_words(sampling: Sampling) -> None:
    if sampling.prompt or sampling.negative_prompt:
        raise UsageError(
            "the compact prior reads no words, so a prompt means nothing to it: leave the prompt out, or use the "
            "preset refine_paper with the weights of Stable Diffusion."
        )


def _generate(network: Refiner, inputs: EnhanceInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Draw a picture, wanted in the unknown region and a little around it; elsewhere it is much like the given one."""
    options, (_, _, h, w) = network.options, inputs.encoded.shape
    picture, unknown = (reflect_to_multiple(x, network.size_multiple) for x in inputs[:2])
    cells = latent_mask(unknown, AUTOENCODER_FACTOR, dilation=options.dilation)
    sides = (px // AUTOENCODER_FACTOR for px in (options.tile_px, options.overlap_px, network.size_multiple))
    chosen = tiles_touching(cells, *sides)
    condition = encode_tiled(network, picture)
    predict = _steered(network, network.hint(condition, cells), chosen, inputs.sampling)
    schedule = spaced_schedule(inputs.sampling.steps)
    latents = sample_masked(predict, condition, cells, schedule, generator, progress, options.blending)
    return fix_colours(decode_tiled(network, latents), picture, options.colour_fix)[..., :h, :w]


def _steered(network: Refiner, hint: Tensor, chosen: Sequence[LatentTile], sampling: Sampling) -> PredictNoise:
    """Make the denoiser of these pictures, which looks at no other tiles than these."""

    def predict(noisy: Tensor, timestep: int) -> Tensor:
        steps = torch.full((len(noisy),), timestep, device=noisy.device)

        def estimate(tile: LatentTile) -> Tensor:
            here = (..., tile.rows, tile.columns)
            return network.steered_noise(noisy[here], steps, hint[here], strength=sampling.strength)

        return mixed(chosen, estimate, noisy)

    return predict
