"""Tone curves: HDR light, 1.0 = SDR white, into [0, 1]. Light below 0 counts as 0."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headroom.colour.strips import map_in_strips

ToneMap = Literal["none", "filmic", "reinhard", "extended-reinhard"]
"""What `tone_map` knows; "none" clips."""


def tone_map(pixels: ArrayLike, operator: ToneMap, peak: float) -> NDArray[np.float32]:
    """Bring ... x 3 linear RGB into [0, 1] by an operator's name.

    Args:
        pixels: ... x 3 linear light, 1.0 = SDR white.
        operator: One of `ToneMap`.
        peak: Brightest light of the whole picture, which becomes white where the operator needs to know it.
    """
    match operator:
        case "none":
            return np.clip(np.asarray(pixels, np.float32), 0, 1)
        case "filmic":
            return filmic(pixels)
        case "reinhard":
            return reinhard(pixels)
        case "extended-reinhard":
            return extended_reinhard(pixels, max(peak, 1.0))


def mu_law(linear: ArrayLike, mu: float = 5000) -> NDArray[np.float32]:
    """Compress light by log(1 + mu x) / log(1 + mu), elementwise (Kalantari and Ramamoorthi 2017).

    1.0 stays 1.0; brighter light goes above it.
    """
    return map_in_strips(lambda x: np.log1p(mu * np.maximum(x, 0)) / np.log1p(mu), linear)


def inverse_mu_law(compressed: ArrayLike, mu: float = 5000) -> NDArray[np.float32]:
    """Undo `mu_law`."""
    return map_in_strips(lambda y: np.expm1(np.maximum(y, 0) * np.log1p(mu)) / mu, compressed)


def reinhard(linear: ArrayLike) -> NDArray[np.float32]:
    """Compress light by x / (1 + x), elementwise (Reinhard et al. 2002, eq. 3)."""
    return map_in_strips(lambda x: np.maximum(x, 0) / (1 + np.maximum(x, 0)), linear)


def inverse_reinhard(compressed: ArrayLike) -> NDArray[np.float32]:
    """Undo `reinhard`; 1.0, which no light reaches, gives the largest finite value that float32 can tell from it."""
    below_one = 1 - np.finfo(np.float32).epsneg
    return map_in_strips(lambda y: (y := np.clip(y, 0, below_one)) / (1 - y), compressed)


def extended_reinhard(linear: ArrayLike, white: float) -> NDArray[np.float32]:
    """Compress light by x (1 + x / white²) / (1 + x), elementwise (Reinhard et al. 2002, eq. 4).

    `white` and brighter light becomes 1.
    """

    def curve(x: NDArray[np.float64]) -> NDArray[np.float64]:
        x = np.clip(x, 0, white)
        return x * (1 + x / white**2) / (1 + x)

    return map_in_strips(curve, linear)


def filmic(pixels: ArrayLike, *, knee: float = 0.6, desaturation: float = 0.1) -> NDArray[np.float32]:
    """Roll highlights off for an SDR rendition that looks like its input; ... x 3 linear RGB.

    The shoulder of Khronos' PBR Neutral tone mapper (Khronos Group 2024), without its toe: pixels whose largest
    channel is at most `knee` stay as they are; brighter ones are scaled as a whole, which keeps their hue, along a
    hyperbola that leaves the knee with slope 1 and reaches 1 at infinity. The more a pixel is dimmed, the more
    white it gets, so that coloured lamps still look bright.

    Args:
        pixels: ... x 3 linear light, 1.0 = SDR white.
        knee: Light up to which nothing changes, below 1.
        desaturation: How fast dimmed colours turn white; 0 never.
    """

    def curve(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
        rgb = np.maximum(rgb, 0)
        peak = np.maximum(np.maximum(rgb[..., :1], rgb[..., 1:2]), rgb[..., 2:])
        above = np.maximum(peak - knee, 0)
        room = 1 - knee
        rolled = np.where(above > 0, knee + room * above / (above + room), peak)
        colour = 1 / (1 + desaturation * (peak - rolled))
        ratios = rgb / np.maximum(peak, np.finfo(np.float64).tiny)
        mapped: NDArray[np.float64] = rolled * (colour * ratios + (1 - colour))
        return mapped

    return map_in_strips(curve, pixels)
