"""The arithmetic of gain maps: log2(HDR / SDR) per pixel as 8-bit codes, and back (ISO 21496-1)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headroom.colour.primaries import convert, luminance_weights
from headroom.colour.strips import strips
from headroom.errors import UsageError
from headroom.image import FloatImage, GainMap, Primaries

_OFFSET = 1 / 64  # the format's customary value; keeps the gain of black pixels small
_LEAST_SPAN = 2**-10  # readers divide by the headroom and by maximum - minimum


def encode_gain_map(
    sdr_linear: FloatImage,
    hdr_linear: FloatImage,
    *,
    scale: Literal[1, 2, 4] = 1,
    channels: Literal[1, 3] = 3,
    primaries: Primaries = "bt709",
) -> GainMap:
    """Describe an HDR image as a gain over its SDR rendition.

    The numbers are the content's own: minimum and maximum of the gain, and as headroom log2 of the largest HDR
    component. The three channels share them, since older readers know only one set.

    Args:
        sdr_linear: H x W x 3 linear light of the base image, 1.0 = SDR white.
        hdr_linear: The same picture in HDR, with the same primaries.
        scale: Shrinks both sides of the map, rounded up; each code stands for the mean log gain of its part of the
            picture.
        channels: 3 for a gain per channel; 1 for that of luminance, in a third of the bytes, which keeps the base's
            colour ratios.
        primaries: Primaries of both images; decide what luminance is.

    Raises:
        UsageError: The two images differ in size.
    """
    if sdr_linear.shape != hdr_linear.shape:
        raise UsageError(
            f"A gain map needs two images of one size, not {sdr_linear.shape} and {hdr_linear.shape}. Resize one."
        )
    weights = luminance_weights(primaries).astype(np.float32) if channels == 1 else None
    extents = [(gain.min(), gain.max()) for _, gain in _log_gains(sdr_linear, hdr_linear, scale, weights)]
    minimum = float(min(low for low, _ in extents))
    maximum = max(float(max(high for _, high in extents)), minimum + _LEAST_SPAN)
    height, width = (-(-side // scale) for side in sdr_linear.shape[:2])
    codes = np.empty((height, width, channels), np.uint8)
    for rows, gain in _log_gains(sdr_linear, hdr_linear, scale, weights):
        codes[rows] = np.rint((gain - minimum) * (255 / (maximum - minimum)))
    return GainMap(
        codes=codes[..., 0] if channels == 1 else codes,
        minimum=(minimum,) * 3,
        maximum=(maximum,) * 3,
        base_offset=(_OFFSET,) * 3,
        alternate_offset=(_OFFSET,) * 3,
        alternate_headroom=max(math.log2(max(float(hdr_linear.max()), 1.0)), _LEAST_SPAN),
        base_primaries=primaries,
    )


def apply_gain_map(
    sdr_linear: FloatImage, gain_map: GainMap, display_headroom_log2: float = math.inf
) -> NDArray[np.float32]:
    """Return the linear image, H x W x 3, that a display of this headroom shows; by default all of the HDR.

    It has the primaries of the base image, whatever those are that the gain applies to. A smaller map is interpolated
    bilinearly, pixel centres aligned. Light that offsets or primaries would take below 0 is 0.
    """
    shown = np.empty(sdr_linear.shape, np.float32)
    for rows in strips(sdr_linear.shape):
        shown[rows] = apply_to_rows(sdr_linear[rows], gain_map, rows, sdr_linear.shape, display_headroom_log2)
    return shown


def apply_to_rows(
    sdr_rows: FloatImage,
    gain_map: GainMap,
    rows: slice,
    shape: tuple[int, ...],
    display_headroom_log2: float = math.inf,
) -> NDArray[np.float32]:
    """Do what `apply_gain_map` does for some rows, n x W x 3, of a picture of this shape."""
    gain = np.exp2(gain_map_weight(gain_map, display_headroom_log2) * log2_gain(gain_map, rows, shape))
    base_offset = np.array(gain_map.base_offset, np.float32)
    alternate_offset = np.array(gain_map.alternate_offset, np.float32)
    outside = gain_map.base_primaries
    inside = gain_map.gain_primaries or outside
    lifted = (convert(sdr_rows, outside, inside) + base_offset) * gain - alternate_offset
    return np.asarray(np.maximum(convert(lifted, inside, outside), 0))


def log2_gain(gain_map: GainMap, rows: slice, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the full log2 gain of some rows of a picture of this shape, n x W x 3."""
    share: NDArray[np.float32] = _resampled(np.atleast_3d(gain_map.codes), rows, shape) / np.float32(255)
    if gain_map.gamma != (1.0, 1.0, 1.0):
        share = np.power(share, 1 / np.array(gain_map.gamma, np.float32), dtype=np.float32)
    minimum, maximum = np.array(gain_map.minimum, np.float32), np.array(gain_map.maximum, np.float32)
    gain: NDArray[np.float32] = minimum + (maximum - minimum) * share
    return gain


def gain_map_weight(gain_map: GainMap, display_headroom_log2: float) -> float:
    """Return the share of the gain that a display of this headroom applies, 0 to 1.

    Negative, down to -1, for a map whose base is the HDR image: there the gain is taken away.
    """
    base, alternate = gain_map.base_headroom, gain_map.alternate_headroom
    if base == alternate:
        return 0.0
    share = min(max((display_headroom_log2 - base) / (alternate - base), 0.0), 1.0)
    return share if alternate > base else -share


def _log_gains(
    sdr: FloatImage, hdr: FloatImage, scale: int, weights: NDArray[np.float32] | None
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield strips of the map: its rows, and the log2 gain there, n x w x 1 or 3."""
    columns, column_shares = _boxes(slice(0, -(-sdr.shape[1] // scale)), sdr.shape[1], scale)
    for strip in strips(sdr.shape, multiple=scale):
        codes = slice(strip.start // scale, -(-strip.stop // scale))
        rows, row_shares = _boxes(codes, sdr.shape[0], scale)
        first, end = rows.min(), rows.max() + 1
        base, alternate = sdr[first:end], hdr[first:end]
        if weights is not None:
            base, alternate = (base @ weights)[..., None], (alternate @ weights)[..., None]
        gain = np.log2((np.maximum(alternate, 0) + _OFFSET) / (np.maximum(base, 0) + _OFFSET))
        if scale > 1:
            gain = _box_means(gain, rows - first, row_shares)
            gain = _box_means(gain.swapaxes(0, 1), columns, column_shares).swapaxes(0, 1)
        yield codes, gain


def _boxes(codes: slice, size: int, scale: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return for n codes along a side of this size the k pixels that each stands for, k x n, and their shares in it.

    To a reader the map covers the picture from edge to edge, even where `scale` does not divide the side.
    """
    length = size / -(-size // scale)
    start = np.arange(codes.start, codes.stop) * length
    pixels = start.astype(np.intp) + np.arange(scale + (size % scale > 0))[:, None]
    covered = np.minimum(pixels + 1, start + length) - np.maximum(pixels, start)
    return np.minimum(pixels, size - 1), np.asarray(np.maximum(covered, 0) / length, np.float32)


def _box_means(
    values: NDArray[np.float32], pixels: NDArray[np.intp], shares: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the mean of each box along the first axis."""
    return np.asarray(sum(values[at] * share[:, None, None] for at, share in zip(pixels, shares, strict=True)))


def _resampled(codes: NDArray[np.uint8], rows: slice, shape: tuple[int, ...]) -> NDArray[np.float32]:
    height, width = shape[:2]
    if codes.shape[:2] == (height, width):
        return codes[rows].astype(np.float32)
    upper, lower, share = _taps(np.arange(rows.start, rows.stop), height, codes.shape[0])
    above, below = codes[upper].astype(np.float32), codes[lower].astype(np.float32)
    strip = above * (1 - share)[:, None, None] + below * share[:, None, None]
    left, right, share = _taps(np.arange(width), width, codes.shape[1])
    return np.asarray(strip[:, left] * (1 - share)[:, None] + strip[:, right] * share[:, None], np.float32)


def _taps(
    positions: NDArray[np.intp], size: int, map_size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Return for pixels of an image `size` long the two neighbours in the map and the share of the second."""
    centres = np.clip((positions + 0.5) * (map_size / size) - 0.5, 0, map_size - 1)
    first = centres.astype(np.intp)
    return first, np.minimum(first + 1, map_size - 1), (centres - first).astype(np.float32)
