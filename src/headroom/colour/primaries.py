"""RGB primaries and the matrices between them. Every space here has the same D65 white, so none needs adaptation."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from headroom.colour.strips import strips
from headroom.image import FloatImage, Primaries

Matrix = NDArray[np.float64]
"""3 x 3; acts on column vectors."""

D65_XY = (0.3127, 0.3290)

CHROMATICITIES: dict[Primaries, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),  # ITU-R BT.709, also sRGB
    "p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),  # SMPTE EG 432-1, Display P3
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),  # ITU-R BT.2020
    "adobe-rgb": ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060)),  # Adobe RGB (1998)
    "prophoto": ((0.735134, 0.261056), (0.138326, 0.877545), (0.068640, 0.013836)),  # ISO 22028-2, ROMM RGB
}
"""CIE 1931 x, y of red, green and blue; those of ROMM RGB, whose white is D50, adapted to D65 by Bradford's matrix."""


def white_xyz() -> NDArray[np.float64]:
    """Return XYZ of the D65 white, Y = 1."""
    return _xyz(D65_XY)


@cache
def rgb_to_xyz(name: Primaries) -> Matrix:
    """Return the matrix from linear RGB to CIE XYZ under D65, white at Y = 1; do not change it in place."""
    columns = np.stack([_xyz(xy) for xy in CHROMATICITIES[name]], axis=1)
    return columns * np.linalg.solve(columns, white_xyz())  # SMPTE RP 177


def conversion_matrix(source: Primaries, target: Primaries) -> Matrix:
    """Return the matrix from linear RGB of `source` to linear RGB of `target`."""
    return np.asarray(np.linalg.solve(rgb_to_xyz(target), rgb_to_xyz(source)), np.float64)


def luminance_weights(name: Primaries) -> NDArray[np.float64]:
    """Return the weights of linear R, G and B in luminance; their sum is 1."""
    return rgb_to_xyz(name)[1, :]


def convert(pixels: FloatImage, source: Primaries, target: Primaries) -> FloatImage:
    """Convert linear H x W x 3 pixels; colours outside `target` get components below 0, which are kept.

    Equal primaries return `pixels` itself.
    """
    if source == target:
        return pixels
    matrix = conversion_matrix(source, target).T.astype(np.float32)
    result = np.empty_like(pixels)
    for rows in strips(pixels.shape):
        np.matmul(pixels[rows], matrix, out=result[rows])
    return result


def _xyz(xy: tuple[float, float]) -> NDArray[np.float64]:
    x, y = xy
    return np.array([x / y, 1.0, (1 - x - y) / y])
