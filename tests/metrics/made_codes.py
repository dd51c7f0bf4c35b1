"""Small SDR pictures made in whole numbers, so that they are the same everywhere, with what is done to photographs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]

SIZE = (201, 300)


def texture(seed: int) -> Codes:
    """Give H x W x 3 in 20 to 236 with detail of all sizes, flat nowhere."""
    generator = np.random.default_rng(seed)
    total = np.zeros((*SIZE, 3), np.int64)
    for side in (1, 2, 4, 8, 16, 32):
        grid = generator.integers(-side, side + 1, (SIZE[0] // side + 2, SIZE[1] // side + 2, 3))
        coarse = np.repeat(np.repeat(grid, side, 0), side, 1)
        total += _smooth(coarse, side)[: SIZE[0], : SIZE[1]]
    return np.clip(128 + 2 * total, 20, 236)


def noisy(codes: Codes) -> Codes:
    return codes + np.random.default_rng(5).integers(-19, 20, codes.shape)


def smooth(codes: Codes) -> Codes:
    return _smooth(codes, 2)


def blocky(codes: Codes) -> Codes:
    """Take most of the detail out of blocks of 8 x 8, and leave a little everywhere."""
    tall, wide = (side // 8 * 8 for side in codes.shape[:2])
    blocks = codes[:tall, :wide].reshape(tall // 8, 8, wide // 8, 8, 3)
    means = blocks.sum(axis=(1, 3), keepdims=True) // 64
    result = codes.copy()
    result[:tall, :wide] = (means + (blocks - means) // 4).reshape(tall, wide, 3)
    return result


def made() -> dict[str, Codes]:
    """Give all pictures by name."""
    plain = texture(1)
    return {
        "texture": plain,
        "other": texture(2),
        "noisy": noisy(plain),
        "smooth": smooth(plain),
        "blocky": blocky(plain),
    }


def _smooth(codes: Codes, radius: int) -> Codes:
    """Average (2 radius + 1) pixels along rows and columns, rounded down."""
    for axis in (0, 1):
        margin = [(0, 0)] * codes.ndim
        margin[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(codes, margin, mode="edge"), axis=axis)
        count = 2 * radius + 1
        codes = (
            np.take(sums, range(count, sums.shape[axis]), axis) - np.take(sums, range(sums.shape[axis] - count), axis)
        ) // count
    return codes
