"""Light of latents that are of no photo: those of a generated picture, which shows no more than a screen does."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import torch
from torch import Tensor, nn

from headroom.errors import UsageError
from headroom.methods.contract import LatentsInput, Progress
from headroom.methods.lediff.expanding import scale_of
from headroom.methods.lediff.expose import expose
from headroom.methods.lediff.network import LEDiff
from headroom.nn.latent.tiling import decode_tiled, decode_wrapping
from headroom.nn.wrapping import AroundTheBack


def light_of(network: nn.Module, inputs: LatentsInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Make the shorter exposures of N pictures, and light of all of them; see `Method.light_of`.

    Raises:
        UsageError: The network has shadows alone, or see `Exposer.read`.
    """
    exposer = network.highlights if isinstance(network, LEDiff) else None
    if exposer is None:
        raise UsageError("these weights of lediff have no highlights, which generated pictures lack. Give others.")
    options = replace(exposer.options, prompt=inputs.prompt or exposer.options.prompt)
    with AroundTheBack() if inputs.wraps else nullcontext():
        exposures = expose(exposer, inputs.latents, "highlights", options, generator, progress)
    decode = decode_wrapping if inputs.wraps else decode_tiled
    light = exposer.light_of(decode(exposer, exposer.fusion(exposures)))
    return light if inputs.picture is None else light * scale_of(light, inputs.picture, "highlights")
