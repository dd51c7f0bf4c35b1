"""The honest composition of a bracket: what frames measure together, completed by a method where they do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from headroom.image import FloatImage
from headroom.methods.contract import Capabilities, MergeInput
from headroom.nn.tiles import tiles
from headroom.restore.ahead import map_ahead
from headroom.restore.bracket_input import Slot, choose_slots, merge_input
from headroom.restore.support import REACH_PX, Stack, Support, support

RunMethod = Callable[[MergeInput], Tensor]
"""Pads, runs and crops: a batch of one in; out comes 1 x 3 x h x w light in the units of its `linear`, with or without
a fourth channel; see `headroom.methods.contract.Method.run`."""


class Fused(NamedTuple):
    """A merged bracket.

    Attributes:
        pixels: H x W x 3 light, 1.0 = full scale of the reference.
        recovered: H x W, 0 where an unclipped sample supports a pixel, 1 where none does; above 0 too where a method
            is heard and in doubt.
    """

    pixels: FloatImage
    recovered: FloatImage


class Answer(NamedTuple):
    """What a method says of a tile.

    Attributes:
        light: h x w x 3, 1.0 = full scale of the reference.
        doubt: h x w x 1 chance that it is wrong; None from a method that does not tell.
    """

    light: FloatImage
    doubt: FloatImage | None


def fuse(
    stack: Stack, run: RunMethod, capabilities: Capabilities, tile_px: int, progress: Callable[[float], None]
) -> Fused:
    """Merge aligned frames tile by tile.

    Args:
        stack: The frames.
        run: The method; it is asked for tiles in which it has a share.
        capabilities: What it takes.
        tile_px: Side of a tile.
        progress: Told the finished share.
    """
    height, width = stack.frames[0].shape[:2]
    slots = choose_slots(stack.exposures, stack.reference, capabilities.frames)
    pixels, recovered = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    pieces = list(tiles(height, width, tile_px, capabilities.overlap_px, capabilities.size_multiple))
    supports = map_ahead(lambda piece: _support_of(stack, *piece[:2]), pieces)
    for number, ((rows, columns, fade), found) in enumerate(zip(pieces, supports, strict=True), start=1):
        heard = found.share.any(axis=-1) & (fade[..., 0] > 0)
        if heard.any():
            box = _box_around(heard, capabilities.overlap_px // 2, capabilities.size_multiple)
            part, tile = Support(*(values[box] for values in found)), stack.cut(rows, columns).cut(*box)
            answer = _ask(run, tile, slots)
            part.light[:] += part.share * (_believable(answer.light, tile, part) - part.light)
            if answer.doubt is not None:
                part.measured[:] *= 1 - part.share * answer.doubt
        pixels[rows, columns] += fade * found.light
        recovered[rows, columns] += fade[..., 0] * (1 - found.measured.min(axis=-1))
        progress(number / len(pieces))
    return Fused(pixels, recovered)


def predict(
    stack: Stack, run: RunMethod, capabilities: Capabilities, tile_px: int, progress: Callable[[float], None]
) -> Fused:
    """Give what the method alone says, tile by tile; its doubt is how far that counts as recovered."""
    height, width = stack.frames[0].shape[:2]
    slots = choose_slots(stack.exposures, stack.reference, capabilities.frames)
    pixels, recovered = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    pieces = list(tiles(height, width, tile_px, capabilities.overlap_px, capabilities.size_multiple))
    for number, (rows, columns, fade) in enumerate(pieces, start=1):
        light, doubt = _ask(run, stack.cut(rows, columns), slots)
        pixels[rows, columns] += fade * np.clip(np.nan_to_num(light), 0, np.float32(1 / stack.exposures[0]))
        recovered[rows, columns] += (fade if doubt is None else fade * doubt)[..., 0]
        progress(number / len(pieces))
    return Fused(pixels, recovered)


def _support_of(stack: Stack, rows: slice, columns: slice) -> Support:
    """Give the support of a region, in which its surroundings take part."""
    above, left = min(REACH_PX, rows.start), min(REACH_PX, columns.start)
    around = slice(rows.start - above, rows.stop + REACH_PX), slice(columns.start - left, columns.stop + REACH_PX)
    inner = slice(above, above + rows.stop - rows.start), slice(left, left + columns.stop - columns.start)
    return Support(*(part[inner] for part in support(stack.cut(*around))))


def _box_around(mask: NDArray[np.bool_], margin: int, multiple: int) -> tuple[slice, slice]:
    """Give rows and columns that hold all of a mask and a margin; both ends are multiples where there is room."""
    spans = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    ends = ((max(0, int(span[0]) - margin), int(span[-1]) + 1 + margin) for span in spans)
    rows, columns = (slice(start // multiple * multiple, -(-stop // multiple) * multiple) for start, stop in ends)
    return rows, columns


def _ask(run: RunMethod, tile: Stack, slots: Sequence[Slot]) -> Answer:
    """Run the method on a tile."""
    found: FloatImage = run(merge_input(tile.frames, tile.exposures, tile.reference, slots))[0].permute(1, 2, 0).numpy()
    doubt = found[..., 3:] if found.shape[-1] > 3 else None
    return Answer(found[..., :3] / np.float32(slots[0].exposure), doubt)


def _believable(light: FloatImage, tile: Stack, found: Support) -> FloatImage:
    """Hold a method's light to what is certain.

    It lies within reach of the measurements, is no darker than a clipped reference, and no brighter than full scale of
    the shortest frame, beyond which nobody has seen. What is not finite becomes the measured estimate.
    """
    near = np.clip(light, found.light - found.reach, found.light + found.reach)
    held: FloatImage = np.clip(near, found.least, np.float32(1 / tile.exposures[0]))
    return np.where(np.isfinite(light), held, found.light)
