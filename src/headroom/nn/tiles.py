"""Where overlapping tiles lie, and how they fade into one another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def tiles(
    height: int, width: int, side: int, overlap: int, multiple: int = 1
) -> Iterator[tuple[slice, slice, NDArray[np.float32]]]:
    """Yield rows, columns and weight (h x w x 1) of overlapping tiles; the weights sum to 1 everywhere.

    Args:
        height: Rows of the photo.
        width: Columns of the photo.
        side: Longest side of a tile.
        overlap: How far two neighbours overlap.
        multiple: Tiles start at multiples of it, so that a network with strides sees what it sees in the whole photo.
    """
    across = list(_pieces(width, side, overlap, multiple))
    for rows, row_weight in _pieces(height, side, overlap, multiple):
        for columns, column_weight in across:
            yield rows, columns, (row_weight[:, None] * column_weight)[..., None]


def _pieces(length: int, side: int, overlap: int, multiple: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Spread the fewest pieces over a length, no longer than they need be to overlap, and cross-fade them."""
    count = -(-(length - overlap) // (side - overlap)) if length > side else 1
    step = -(-max(length - overlap, 1) // (count * multiple)) * multiple
    pieces = [slice(start, min(start + step + overlap, length)) for start in range(0, max(length - overlap, 1), step)]
    weights = [_fade(piece, length, overlap) for piece in pieces]
    total = np.zeros(length, np.float32)
    for piece, weight in zip(pieces, weights, strict=True):
        total[piece] += weight
    for piece, weight in zip(pieces, weights, strict=True):
        yield piece, weight / total[piece]


def _fade(piece: slice, length: int, overlap: int) -> NDArray[np.float32]:
    """Fall to 0 within the middle quarter of each overlap: what is nearer to a tile's end lacks its surroundings."""
    position = np.arange(piece.start, piece.stop, dtype=np.float32) + 0.5
    inside = np.full_like(position, np.inf)
    if piece.start > 0:
        inside = position - piece.start
    if piece.stop < length:
        inside = np.minimum(inside, piece.stop - position)
    return np.clip(4 / max(1, overlap) * inside - 1.5, 0, 1)
