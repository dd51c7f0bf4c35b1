"""The classical merge: a weighted mean of what the frames say, the floor that every merge method must beat.

Source: Debevec and Malik 1997, "Recovering High Dynamic Range Radiance Maps from Photographs", eq. 4 and 6, applied to
each channel by itself. The mean is taken here in tensors, not by OpenCV's `MergeDebevec`, which the tests compare with:
that one rounds frames to the entries of a table of 256 or 65,536 codes, gives clipped codes a weight, so that what is
clipped in every frame comes out far too dark, and turns black what is code 0 in any frame.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headroom.limits import LIMITS
from headroom.methods.contract import Capabilities, MergeInput, Method, Preset, Progress

_LAST_RESORT = 1e-6
"""Weight of a frame that speaks only where all others are silent, far below that of any code in use."""
_DARKEST = 1e-12  # has a logarithm, and no frame resolves it


def weighted_mean(inputs: MergeInput) -> Tensor:
    """Merge frames that see the same: N x 3 x H x W light in the units of `inputs.linear`."""
    weight = _weight(inputs.encoded)
    total = (weight * inputs.linear.clamp_min(_DARKEST).log()).sum(1)
    return (total / weight.sum(1)).exp()


def _weight(encoded: Tensor) -> Tensor:
    """Trust a code the more the farther it is from both ends; N x F x 3 x H x W.

    Where all are at an end, the shortest frame says how bright what is clipped is at least, the longest how dark what
    is black in all of them is; between a short frame's black and a long one's white, the long one's clip level stands.
    """
    weight = torch.minimum(encoded, 1 - encoded).clamp_(min=0)
    weight[:, 0] += _LAST_RESORT * encoded[:, 0]
    weight[:, -1] += _LAST_RESORT * (1 - encoded[:, -1] + _LAST_RESORT)
    return weight


def _run(network: nn.Module, inputs: MergeInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Give the weighted mean."""
    del network, generator
    merged = weighted_mean(inputs)
    progress(1.0)
    return merged


METHOD = Method(
    id="debevec",
    verb="merge",
    summary="Weighted mean of all frames (Debevec and Malik): right where nothing moves, ghosts where something does",
    presets={
        "default": Preset(
            settings=None,
            capabilities=Capabilities(
                invents_content=False, peak_bytes_per_pixel=500, frames=(1, LIMITS.bracket_frames)
            ),
            weights=(),
            summary="no network",
        )
    },
    build=lambda _settings: nn.Identity(),
    run=_run,
)
