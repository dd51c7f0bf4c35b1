"""A photo's codes as sRGB-like ones, in which networks see and change pictures, and back into the photo's own curve.

Curves that differ from sRGB's by no more than cameras do from each other count as it. So most photos pass unchanged.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headroom.colour.primaries import convert
from headroom.colour.strips import strips
from headroom.colour.transfer import decode, decode_codes, encode
from headroom.image import Encoding, FloatImage, Photo, Primaries

SRGB_LIKE = frozenset({"srgb", "bt709", "gamma22", "adobe-rgb"})
"""Curves that count as sRGB."""


def srgb_like_rows(photo: Photo, rows: slice) -> FloatImage:
    """Give rows of a photo as sRGB-like values in [0, 1], in its own primaries."""
    codes = photo.codes[rows]
    if photo.encoding.transfer in SRGB_LIKE:
        return codes * np.float32(1 / photo.top_code)
    return np.clip(encode(decode_codes(codes, photo.encoding, photo.bit_depth), "srgb"), 0, 1)


def own_codes(values: FloatImage, like: Photo) -> NDArray[Any]:
    """Turn sRGB-like values in [0, 1] into integer codes of a photo's curve and depth; the inverse of the above."""
    if like.encoding.transfer not in SRGB_LIKE:
        values = _encoded(decode(values, "srgb"), like.encoding)
    codes: NDArray[Any] = np.rint(values * np.float32(like.top_code)).astype(like.codes.dtype)
    return codes


def between_primaries(values: FloatImage, source: Primaries, target: Primaries) -> FloatImage:
    """Convert sRGB-like values to other primaries; colours outside of these are clipped."""
    if source == target:
        return values
    converted = np.empty_like(values)
    for rows in strips(values.shape):
        converted[rows] = np.clip(encode(convert(decode(values[rows], "srgb"), source, target), "srgb"), 0, 1)
    return converted


def _encoded(light: FloatImage, encoding: Encoding) -> FloatImage:
    """Turn light into values of a curve, a tabulated one by the inverse of its table."""
    if encoding.transfer is not None:
        return np.clip(encode(light, encoding.transfer), 0, 1)
    assert encoding.table is not None
    table = encoding.table if encoding.table.ndim == 2 else encoding.table[:, None].repeat(3, axis=1)
    rising = np.maximum.accumulate(table.astype(np.float64))
    grid = np.linspace(0, 1, len(table))
    channels = [np.interp(light[..., i], rising[:, i], grid) for i in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)
