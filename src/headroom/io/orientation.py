"""Turning rasters upright and back, by the eight EXIF orientations."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_Scalar = TypeVar("_Scalar", bound=np.generic)

# Orientation: (rows and columns change places, then rows reversed, then columns reversed).
_STEPS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
_UNDONE_BY = {6: 8, 8: 6}  # the other six are their own opposites


def of(*, swap: bool, rows: bool, columns: bool) -> int:
    """Return the orientation that exchanges rows and columns, then reverses rows and columns, each where it says so."""
    return next(number for number, steps in _STEPS.items() if steps == (swap, rows, columns))


def turns_sides(orientation: int) -> bool:
    """Return True when width and height of the stored raster change places."""
    return _STEPS[orientation][0]


def apply(stored: NDArray[_Scalar], orientation: int) -> NDArray[_Scalar]:
    """Return the upright, contiguous picture of a stored raster, H x W or H x W x C."""
    swap, rows, columns = _STEPS[orientation]
    picture: NDArray[Any] = stored.swapaxes(0, 1) if swap else stored
    return np.ascontiguousarray(picture[:: -1 if rows else 1, :: -1 if columns else 1])


def undo(upright: NDArray[_Scalar], orientation: int) -> NDArray[_Scalar]:
    """Return the stored raster of an upright picture; the inverse of `apply`."""
    return apply(upright, _UNDONE_BY.get(orientation, orientation))
