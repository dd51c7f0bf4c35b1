"""The peak signal-to-noise ratio, of whatever values."""

from __future__ import annotations

import math


def psnr(mean_squared_error: float, peak: float) -> float:
    """Give 10 log10(peak² / MSE) in dB: inf where nothing differs, nan where there is nothing to compare."""
    return 10 * math.log10(peak**2 / mean_squared_error) if mean_squared_error else math.inf
