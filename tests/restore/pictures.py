"""Photos with known clipping, and sRGB written a second time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headroom.image import Photo


def srgb_to_light(codes: NDArray[np.floating]) -> NDArray[np.float64]:
    """IEC 61966-2-1, in double precision."""
    codes = np.asarray(codes, np.float64)
    return np.where(codes <= 0.04045, codes / 12.92, ((np.maximum(codes, 0.04045) + 0.055) / 1.055) ** 2.4)


def light_to_srgb(light: NDArray[np.floating]) -> NDArray[np.float64]:
    """The inverse of `srgb_to_light`."""
    light = np.asarray(light, np.float64)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)


def noisy_photo(
    seed: int, height: int, width: int, clipped_share: float, *, bit_depth: int = 8, lossy_step: float = 0.0
) -> Photo:
    """Make a photo of smooth light and noise of which about `clipped_share` of the codes are at the top."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    phases = generator.uniform(0, 6, 3)
    light = np.sin(7 * rows[..., None] + phases) * np.cos(5 * columns[..., None] - phases)
    light = light + 0.1 * generator.normal(size=light.shape)
    scaled = (light - light.min()) / max(np.quantile(light, 1 - clipped_share) - light.min(), 1e-6)
    codes = np.clip(scaled, 0, 1)
    if bit_depth == 32:
        return Photo(codes.astype(np.float32), 32, lossy_step=lossy_step)
    kind = np.uint8 if bit_depth == 8 else np.uint16
    return Photo(np.rint(codes * (2**bit_depth - 1)).astype(kind), bit_depth, lossy_step=lossy_step)


def flat_photo(height: int, width: int, code: int) -> Photo:
    """Make an 8-bit photo of one code."""
    return Photo(np.full((height, width, 3), code, np.uint8), 8)
