"""Primaries that a float file states as CIE 1931 x, y: known ones by name, others converted to known ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headroom.colour.primaries import CHROMATICITIES, D65_XY, rgb_to_xyz
from headroom.colour.strips import strips
from headroom.image import FloatImage, Primaries

_SAME_XY = 0.002  # files round to three decimals
_BY_WIDTH: tuple[Primaries, ...] = ("bt709", "p3", "bt2020", "prophoto")
_OUTSIDE = 0.03  # of a primary, which no picture has at full strength
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def flat(name: Primaries) -> tuple[float, ...]:
    """Return x, y of red, green, blue and white, as files state them."""
    return tuple(value for xy in (*CHROMATICITIES[name], D65_XY) for value in xy)


def named(stated: Sequence[float]) -> Primaries | None:
    """Return the primaries with these eight numbers, or None when they are none of the known ones."""
    return next((name for name in CHROMATICITIES if np.allclose(stated, flat(name), rtol=0, atol=_SAME_XY)), None)


def in_memory(stated: Sequence[float] | None) -> Primaries:
    """Return the primaries that pixels of stated ones are given in: the same, or the narrowest that hold them.

    BT.709 where none are stated or impossible ones; the widest where none hold them.
    """
    name = named(stated) if stated is not None else "bt709"
    if stated is None or name is not None:
        return name or "bt709"
    for wider in _BY_WIDTH:
        matrix = _matrix(stated, wider)
        if matrix is None:
            return "bt709"
        if matrix.min() >= -_OUTSIDE:
            return wider
    return _BY_WIDTH[-1]


def to_known(pixels: FloatImage, stated: Sequence[float] | None) -> FloatImage:
    """Return pixels in the primaries that `in_memory` names.

    Args:
        pixels: H x W x 3 linear; converted in place where that is needed.
        stated: x, y of red, green, blue and white; BT.709 where None or impossible.
    """
    matrix = _matrix(stated, in_memory(stated)) if stated is not None and named(stated) is None else None
    if matrix is not None:
        for rows in strips(pixels.shape):
            pixels[rows] = pixels[rows] @ matrix.T.astype(np.float32)
    return pixels


def _matrix(stated: Sequence[float], target: Primaries) -> NDArray[np.float64] | None:
    """Return the matrix between linear RGB of these primaries, their white adapted to D65; None where there is none."""
    xy = np.array(stated, np.float64).reshape(4, 2)
    columns = np.column_stack([xy, 1 - xy.sum(axis=1)]).T  # 3 x 4: red, green, blue, white
    if not np.isfinite(columns).all() or abs(np.linalg.det(columns[:, :3])) < 1e-6 or columns[1, 3] <= 0:
        return None
    white = columns[:, 3] / columns[1, 3]
    to_xyz = columns[:, :3] * np.linalg.solve(columns[:, :3], white)
    d65 = np.array([D65_XY[0], D65_XY[1], 1 - sum(D65_XY)]) / D65_XY[1]
    adapt = np.linalg.solve(_BRADFORD, np.diag(_BRADFORD @ d65 / (_BRADFORD @ white)) @ _BRADFORD)
    return np.linalg.solve(rgb_to_xyz(target), adapt @ to_xyz)
