"""Look at large latents tile by tile, and only where there is something to do.

Source: Jimenez 2023, "Mixture of Diffusers for scene composition and high resolution image generation", section 3.3:
every tile estimates its noise, and where tiles overlap, Gaussian weights around their middles mix the estimates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from headroom.nn.tiles import tiles

_VARIANCE = 0.01  # of the weights, for a tile of side 1


class LatentTile(NamedTuple):
    """A rectangle of latents, in cells."""

    rows: slice
    columns: slice


def tiles_touching(region: Tensor, side: int, overlap: int, multiple: int) -> list[LatentTile]:
    """Choose the tiles that hold a part of a region.

    Args:
        region: N x 1 x h x w, above 0 inside.
        side: Longest side of a tile.
        overlap: How far two neighbours overlap, a multiple of `multiple`.
        multiple: Tiles start and end at multiples of it, as the whole does.
    """
    _, _, h, w = region.shape
    spread = tiles(h, w, side, overlap, multiple)
    return [LatentTile(rows, columns) for rows, columns, _ in spread if region[..., rows, columns].any()]


def mixed(chosen: Sequence[LatentTile], evaluate: Callable[[LatentTile], Tensor], like: Tensor) -> Tensor:
    """Evaluate tiles and mix what they give.

    Args:
        chosen: The tiles.
        evaluate: Gives N x C x (rows of a tile) x (columns of a tile).
        like: N x C x h x w, of the result's size.

    Returns:
        N x C x h x w, 0 where no tile lies.
    """
    total = torch.zeros_like(like)
    weights = total.new_zeros(1, 1, *total.shape[2:])
    for tile in chosen:
        weight = _gaussian(*(piece.stop - piece.start for piece in tile)).to(total)
        total[..., tile.rows, tile.columns].addcmul_(evaluate(tile).to(total), weight)
        weights[..., tile.rows, tile.columns] += weight
    return total.div_(weights.clamp(min=torch.finfo(weights.dtype).tiny))


def _gaussian(height: int, width: int) -> Tensor:
    """Make weights around the middle of a tile, height x width; all are above 0."""
    rows, columns = (
        torch.exp(-((torch.arange(side) + 0.5) / side - 0.5).square() / (2 * _VARIANCE)) for side in (height, width)
    )
    return rows[:, None] * columns
