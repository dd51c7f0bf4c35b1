"""Camera RAW: filling in clipped channels of the sensor, whose codes are no RGB and clip at different light.

Where some channels of a pixel still measure, `partly_clipped` takes its light from them. For the rest the network sees
the picture so dark that white is where the last channel of a grey clips, as a photo that clips there would show it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from headroom.colour.strips import strips
from headroom.colour.transfer import decode_codes, encode
from headroom.image import FloatImage, Photo
from headroom.restore.clipping import recovery_weight
from headroom.restore.compose import LinearRows, compose, no_gain
from headroom.restore.partly_clipped import any_channel, continued_rows
from headroom.restore.predict import Predict

_TOP_CODE = 255
_ROUNDING = 1e-5


def fill_sensor(
    photo: Photo,
    clipped: NDArray[np.bool_],
    predict: Predict,
    *,
    strip_rows: int,
    max_gain_stops: float,
    progress: Callable[[float], None],
) -> tuple[FloatImage, FloatImage]:
    """Fill in the clipped codes of a sensor; its other codes stay as measured.

    Args:
        photo: Its encoding has a matrix.
        clipped: H x W x 3.
        predict: Runs the network.
        strip_rows: Rows that are worked on at a time.
        max_gain_stops: log2 value of the brightest recovered light.
        progress: Told the finished share.

    Returns:
        H x W x 3 light, and the H x W recovered mask.
    """
    white = np.linalg.inv(np.array(photo.encoding.sensor_matrix)).sum(axis=1).astype(np.float32)
    continued = continued_rows(np.asarray(photo.codes, np.float32), clipped, white)
    shown, unbounded = _as_shown(photo, clipped, continued, white)
    codes, _ = compose(
        continued,
        recovery_weight(unbounded),
        predict(shown, shown == _TOP_CODE).lights if unbounded.any() else no_gain,
        strip_rows=strip_rows,
        max_gain_stops=max_gain_stops,
        progress=progress,
    )
    for rows in strips(codes.shape):
        measured, filled = (decode_codes(part[rows], photo.encoding, photo.bit_depth) for part in (photo.codes, codes))
        codes[rows] = np.minimum(filled, np.maximum(measured, np.float32(2**max_gain_stops)))
    return codes, any_channel(clipped).astype(np.float32)


def _as_shown(
    photo: Photo, clipped: NDArray[np.bool_], continued: LinearRows, white: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return 8-bit sRGB-like codes of the picture, and which clipped channels may be brighter than `continued` says.

    These are the ones that it makes as bright as any, which is where the picture is white.
    """
    shown, unbounded = np.empty(clipped.shape, np.uint8), np.zeros_like(clipped)
    for rows in strips(shown.shape):
        codes = continued(rows.start, rows.stop) * white.min()
        beside = photo.codes[rows] < photo.top_code  # a clipped neighbour, and not clipped themselves
        unbounded[rows] = clipped[rows] & ~beside & (codes > white * (1 - _ROUNDING))
        light = decode_codes(codes, photo.encoding, photo.bit_depth)
        shown[rows] = np.where(unbounded[rows], _TOP_CODE, np.rint(_TOP_CODE * np.minimum(encode(light, "srgb"), 1)))
    return shown, unbounded
