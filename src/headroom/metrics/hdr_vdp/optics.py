"""The eye's optics: light scatters on its way to the retina. Equations 1 and 2."""

from __future__ import annotations

from typing import Literal

import numpy as np

from headroom.metrics.hdr_vdp.display import Picture

Surround = float | Literal["symmetric", "edge"]
"""What lies around the picture: a value, its mirror image, or its last row and column repeated."""

_DARKEST_NITS, _BRIGHTEST_NITS = 1e-5, 1e10

# Parameters of the fit: two shares, from which the four amplitudes follow, and the decays in degrees.
_FAR, _NEAR = 0.061466549455263, 0.99727370023777070
_AMPLITUDES = (_NEAR * 0.426, _NEAR * 0.574, (1 - _NEAR) * _FAR, (1 - _NEAR) * (1 - _FAR))
_DECAYS = (0.028, 0.37, 37.0, 360.0)


def modulation_transfer(frequency: Picture | float) -> Picture:
    """Give the share of a wave's contrast that reaches the retina (eq. 2).

    Args:
        frequency: Cycles per degree.
    """
    return np.asarray(sum(a * np.exp(-b * frequency) for a, b in zip(_AMPLITUDES, _DECAYS, strict=True)))


def light_on_retina(light: Picture, pixels_per_degree: float, surround: Surround) -> Picture:
    """Scatter the light of a display in the eye (eq. 1).

    Args:
        light: H x W x C, light of the display's C emitters.
        pixels_per_degree: Resolution.
        surround: Light around the picture.
    """
    transfer = modulation_transfer(frequencies(light.shape, pixels_per_degree))
    channels = [filter_wide(channel, transfer, surround) for channel in np.moveaxis(light, 2, 0)]
    return np.clip(np.stack(channels, axis=2), _DARKEST_NITS, _BRIGHTEST_NITS)


def frequencies(shape: tuple[int, ...], pixels_per_degree: float) -> Picture:
    """Give the frequencies in cycles per degree that `filter_wide` wants the response at, for pictures H x W."""
    height, width = shape[:2]
    vertical, horizontal = np.fft.fftfreq(2 * height), np.fft.rfftfreq(2 * width)
    return np.asarray(np.hypot(vertical[:, None], horizontal[None, :]) * pixels_per_degree)


def filter_wide(picture: Picture, response: Picture, surround: Surround) -> Picture:
    """Filter by a kernel as large as the picture, inside a frame of twice its size.

    Args:
        picture: H x W.
        response: 2 H x W + 1, the filter at `frequencies`.
        surround: What the frame is filled with, below and to the right; it wraps around.
    """
    height, width = picture.shape
    margin = ((0, height), (0, width))
    if isinstance(surround, str):
        framed = np.pad(picture, margin, mode=surround)
    else:
        framed = np.pad(picture, margin, constant_values=surround)
    return np.fft.irfft2(np.fft.rfft2(framed) * response, s=framed.shape)[:height, :width]
