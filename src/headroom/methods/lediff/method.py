"""How each preset of the method is built and run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from headroom.methods.contract import Capabilities, ExpandInput, Method, Preset, Progress
from headroom.methods.lediff.expanding import expand
from headroom.methods.lediff.exposer import COMPACT_LEDIFF, PAPER_LEDIFF, PARTS, ExposeOptions, Part
from headroom.methods.lediff.folder import read_folder
from headroom.methods.lediff.handed_in import light_of
from headroom.methods.lediff.names import own_names
from headroom.methods.lediff.network import LEDiff, build


def run(network: nn.Module, inputs: ExpandInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Find what N photos do not show: N x 3 x H x W log2 gain; see `Method.run`."""
    if not isinstance(network, LEDiff):
        raise TypeError(f"{type(network).__name__} is not a network of lediff")
    return expand(network, inputs, generator, progress)


_PRIOR = ("latent_prior-autoencoder", "latent_prior-denoiser")
_OF_PARTS: Mapping[Part, tuple[str, ...]] = {
    "decoder": ("lediff-decoder",),
    "denoiser": ("lediff-highlights", "lediff-shadows"),
}
_WEIGHTS = (*_PRIOR, *_OF_PARTS["decoder"], *_OF_PARTS["denoiser"], "hybrid_ae-compact")
_COMPACT = Capabilities(
    size_multiple=32,
    minimum_size_px=32,
    working_side_px=512,
    half_precision=True,
    recovers_shadows=True,
    peak_bytes_per_pixel=700,
)


def _ablation(summary: str, *trained: Part) -> Preset:
    """Make a preset that shows what the parts are worth: some of those that ship, and no regression."""
    return Preset(
        replace(COMPACT_LEDIFF, trained=trained, anchor=None),
        _COMPACT,
        weights=(*_PRIOR, *(name for part in trained for name in _OF_PARTS[part])),
        summary=f"an ablation: {summary}",
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
        "no_anchor": _ablation("highlights keep their own brightness; the others are compared with it", *PARTS),
        "no_decoder": _ablation("the latent prior's own decoder, which never learned light", "denoiser"),
        "no_denoiser": _ablation("the latent prior's own denoiser, which draws the photo again", "decoder"),
        "inpainting": _ablation("the latent prior alone, which inpaints what the photo does not show"),
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
