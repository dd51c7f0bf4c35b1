"""Walking a large array in strips, so that intermediates stay small whatever the image size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

_STRIP_VALUES = 2**18  # 2 MiB in float64: stays in the cache


def strips(shape: tuple[int, ...], *, multiple: int = 1) -> Iterator[slice]:
    """Yield slices of the first axis that together cover an array of this shape once.

    Every slice but the last holds a multiple of `multiple` rows.
    """
    values_per_row = max(1, math.prod(shape[1:]))
    rows = max(1, _STRIP_VALUES // (values_per_row * multiple)) * multiple
    for start in range(0, shape[0], rows):
        yield slice(start, min(start + rows, shape[0]))


def map_in_strips(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], values: ArrayLike
) -> NDArray[np.float32]:
    """Apply a function that keeps the shape, in float64, and return the result in float32."""
    source = np.asarray(values)
    rows_of = np.atleast_1d(source)
    result = np.empty(rows_of.shape, np.float32)
    for rows in strips(rows_of.shape):
        result[rows] = function(rows_of[rows].astype(np.float64))
    return result.reshape(source.shape)
