"""How each preset of the method is built and run."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from headroom.methods.contract import Capabilities, ExpandInput, Method, Preset, Progress
from headroom.methods.lediff.expanding import expand
from headroom.methods.lediff.exposer import COMPACT_LEDIFF, PAPER_LEDIFF, ExposeOptions
from headroom.methods.lediff.folder import read_folder
from headroom.methods.lediff.handed_in import light_of
from headroom.methods.lediff.names import own_names
from headroom.methods.lediff.network import LEDiff, build


def run(network: nn.Module, inputs: ExpandInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Find what N photos do not show: N x 3 x H x W log2 gain; see `Method.run`."""
    if not isinstance(network, LEDiff):
        raise TypeError(f"{type(network).__name__} is not a network of lediff")
    return expand(network, inputs, generator, progress)


_WEIGHTS = (
    "latent_prior-autoencoder", "latent_prior-denoiser", "lediff-decoder", "lediff-highlights", "lediff-shadows",
    "hybrid_ae-compact",
)  # fmt: skip
_COMPACT = Capabilities(
    size_multiple=32, minimum_size_px=32, working_side_px=512, recovers_shadows=True, peak_bytes_per_pixel=700
)

METHOD = Method(
    id="lediff",
    verb="expand",
    summary="LEDiff: makes up shorter and longer exposures in latent space and fuses them",
    presets={
        "compact": Preset(
            COMPACT_LEDIFF,
            _COMPACT,
            weights=_WEIGHTS,
            summary="ours, on the compact latent prior: highlights and shadows",
        ),
        "fast": Preset(
            replace(COMPACT_LEDIFF, options=ExposeOptions(steps=2)),
            replace(_COMPACT, working_side_px=384),
            weights=_WEIGHTS,
            summary="the same in fewer steps, of less detail",
        ),
        "paper": Preset(
            PAPER_LEDIFF,
            Capabilities(
                size_multiple=64,
                minimum_size_px=64,
                working_side_px=768,
                recovers_shadows=True,
                peak_bytes_per_pixel=6000,
                needs_prompt=True,
            ),
            weights=(),
            summary="as released: on Stable Diffusion, a folder for each direction",
        ),
    },
    build=build,
    run=run,
    light_of=light_of,
    own_names=own_names,
    read_folder=read_folder,
)
