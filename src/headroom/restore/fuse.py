"""The honest composition of a bracket: what frames measure together, completed by a method where they do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from headroom.image import FloatImage
from headroom.methods.contract import Capabilities, MergeInput
from headroom.restore.bracket_input import choose_slots, merge_input
from headroom.restore.support import REACH_PX, Stack, Support, least_light, support
from headroom.restore.tile import tiles

RunMethod = Callable[[MergeInput], Tensor]
"""Pads, runs and crops: a batch of one in, 1 x 3 x h x w light in the units of its `linear` out."""


class Fused(NamedTuple):
    """A merged bracket.

    Attributes:
        pixels: H x W x 3 light, 1.0 = full scale of the reference.
        recovered: H x W, 0 where unclipped samples support a pixel, 1 where it was made up.
    """

    pixels: FloatImage
    recovered: FloatImage


def fuse(
    stack: Stack,
    run: RunMethod,
    capabilities: Capabilities,
    *,
    tile_px: int,
    strip_rows: int,
    progress: Callable[[float], None],
) -> Fused:
    """Merge aligned frames.

    Args:
        stack: The frames.
        run: The method.
        capabilities: What it takes.
        tile_px: Side of the tiles that it sees.
        strip_rows: Rows that are measured at a time.
        progress: Told the finished share.
    """
    shape = stack.frames[0].shape
    pixels, share = np.empty(shape, np.float32), np.empty(shape, np.float16)
    recovered = np.empty(shape[:2], np.float32)
    for start in range(0, shape[0], strip_rows):
        rows = slice(start, min(start + strip_rows, shape[0]))
        found = _support_of(stack, rows)
        share[rows] = found.open
        # The method adds its share below; the rounded share is the one that counts.
        pixels[rows] = found.light * (1 - share[rows].astype(np.float32))
        made_up = np.clip(2 * found.open - 0.5, 0, 1)  # a quarter of a witness is no support, three quarters are
        np.maximum(made_up, 1 - found.measured).max(axis=-1, out=recovered[rows])
        progress(0.5 * rows.stop / shape[0])
    _add_method(pixels, share, stack, run, capabilities, tile_px, lambda done: progress(0.5 + 0.5 * done))
    return Fused(pixels, recovered)


def _support_of(stack: Stack, rows: slice) -> Support:
    """Give the support of some rows, which those around them take part in."""
    above = min(REACH_PX, rows.start)
    found = support(stack.cut(slice(rows.start - above, rows.stop + REACH_PX)))
    return Support(*(part[above : above + rows.stop - rows.start] for part in found))


def _add_method(
    pixels: FloatImage,
    share: NDArray[np.float16],
    stack: Stack,
    run: RunMethod,
    capabilities: Capabilities,
    tile_px: int,
    progress: Callable[[float], None],
) -> None:
    """Add a method's share to the pixels, tile by tile; where it has none it is not asked."""
    slots = choose_slots(stack.exposures, stack.reference, capabilities.frames)
    pieces = list(tiles(share.shape[0], share.shape[1], tile_px, capabilities.overlap_px))
    for number, (rows, columns, fade) in enumerate(pieces, start=1):
        here = stack.cut(rows, columns)
        if share[rows, columns].any():
            light = run(merge_input(here.frames, here.exposures, here.reference, slots))
            image = (light[0] / slots[0].exposure).permute(1, 2, 0).numpy()
            pixels[rows, columns] += fade * share[rows, columns] * _believable(image, here)
        progress(number / len(pieces))


def _believable(light: FloatImage, stack: Stack) -> FloatImage:
    """Hold a method's light to what is certain.

    It is no darker than a clipped reference, and no brighter than full scale of the shortest frame, beyond which nobody
    has seen. What is not finite becomes the reference's light.
    """
    held: FloatImage = np.clip(light, least_light(stack), np.float32(1 / stack.exposures[0]))
    return np.where(np.isfinite(light), held, stack.frames[stack.reference])
