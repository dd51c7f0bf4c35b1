"""Sagiri's second stage in use: made-up content for what a photo does not show (Sagiri, section 3.2).

Latents of the unknown region are drawn from noise, in tiles that touch it; everything else stays the first stage's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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


class Contexts(NamedTuple):
    """What a denoiser attends to, each N x L x D.

    Attributes:
        wanted: The prompt; None for what the denoiser has learned.
        unwanted: The negative prompt; None without guidance.
    """

    wanted: Tensor | None
    unwanted: Tensor | None


@torch.no_grad()
def refine(network: Refiner, inputs: EnhanceInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Make up the unknown region of N well-exposed pictures: N x 3 x H x W code values, which may leave [0, 1].

    Farther from the region than the cross-fade reaches, every value is the one that was given.

    Raises:
        UsageError: See `read_prompts`.
    """
    contexts = read_prompts(network, inputs.sampling, len(inputs.encoded))
    if not inputs.unknown.any():
        progress(1.0)
        return inputs.encoded
    generated = _generate(network, inputs, contexts, generator, progress)
    return cross_fade(generated, inputs.encoded, inputs.unknown, network.options.band_px)


def read_prompts(network: Refiner, sampling: Sampling, count: int) -> Contexts:
    """Turn a sampling's words into what the denoiser attends to, for N = `count` pictures.

    Raises:
        UsageError: The prior reads no words, or what reads them is missing.
    """
    if network.learned_context is not None and (sampling.prompt or sampling.negative_prompt):
        raise UsageError(
            "the compact prior reads no words, so a prompt means nothing to it: leave the prompt out, or use the "
            "preset refine_paper with a Stable Diffusion folder."
        )
    wanted = network.read([sampling.prompt] * count)
    return Contexts(wanted, network.read([sampling.negative_prompt] * count) if sampling.guidance != 1 else None)


def _generate(
    network: Refiner, inputs: EnhanceInput, contexts: Contexts, generator: torch.Generator, progress: Progress
) -> Tensor:
    """Draw a picture, wanted in the unknown region and a little around it; elsewhere it is much like the given one."""
    options, (_, _, h, w) = network.options, inputs.encoded.shape
    picture, unknown = (reflect_to_multiple(x, network.size_multiple) for x in inputs[:2])
    cells = latent_mask(unknown, AUTOENCODER_FACTOR, dilation=options.dilation)
    sides = (px // AUTOENCODER_FACTOR for px in (options.tile_px, options.overlap_px, network.size_multiple))
    chosen = tiles_touching(cells, *sides)
    of_autoencoder = {"tile_px": options.tile_px, "overlap_px": options.overlap_px}
    condition = encode_tiled(network, picture, **of_autoencoder)
    predict = _steered(network, network.hint(condition, cells), chosen, inputs.sampling, contexts)
    schedule = spaced_schedule(inputs.sampling.steps)
    latents = sample_masked(predict, condition, cells, schedule, generator, progress, as_released=options.as_released)
    generated = decode_tiled(network, latents, **of_autoencoder)
    for channel in range(3):  # One at a time, in place: floats of whole pictures are what the memory goes to.
        here = (slice(None), slice(channel, channel + 1))
        generated[here] = fix_colours(generated[here], picture[here], options.colour_fix)
    return generated[..., :h, :w]


def _steered(
    network: Refiner, hint: Tensor, chosen: Sequence[LatentTile], sampling: Sampling, contexts: Contexts
) -> PredictNoise:
    """Make the denoiser of these pictures, which looks at no other tiles than these."""

    def predict(noisy: Tensor, timestep: int) -> Tensor:
        steps = torch.full((len(noisy),), timestep, device=noisy.device)

        def estimate(tile: LatentTile, context: Tensor | None) -> Tensor:
            here = (..., tile.rows, tile.columns)
            return network.steered_noise(noisy[here], steps, hint[here], context, sampling.strength)

        def guided(tile: LatentTile) -> Tensor:
            wanted = estimate(tile, contexts.wanted)
            if contexts.unwanted is None:
                return wanted
            return estimate(tile, contexts.unwanted).lerp(wanted, sampling.guidance)

        return mixed(chosen, guided, noisy)

    return predict
