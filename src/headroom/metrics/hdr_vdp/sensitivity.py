"""The neural contrast sensitivity: what is left of the CSF without optics and photoreceptors. Equations 12 and 22."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headroom.metrics.hdr_vdp.display import Picture

_LOG_LIGHT = np.linspace(-5, 5, 256)
"""Log10 of the adapting luminance at which sensitivities of whole pictures are tabulated, cd/m2."""


@dataclass(frozen=True, slots=True)
class NeuralSensitivity:
    """Fitted parameters by adapting luminance.

    Attributes:
        luminance_nits: Adapting luminances of the fits.
        parameters: p1 to p4 (eq. 22) of each.
    """

    luminance_nits: tuple[float, ...]
    parameters: tuple[tuple[float, float, float, float], ...]

    def at(self, frequency: Picture | float, log_luminance: Picture | float) -> Picture:
        """Give nCSF, 1 / N_nCSF (eq. 12), for cycles per degree and log10 of cd/m2."""
        fitted = np.log10(self.luminance_nits)
        p1, p2, p3, p4 = (np.interp(log_luminance, fitted, values) for values in np.transpose(self.parameters))
        rise = (1 - np.exp(-((frequency / 7) ** 2))) ** p3
        return np.asarray(p4 * np.sqrt(rise / (1 + (p1 * frequency) ** p2)))  # eq. 22, MTF and s_A set to 1

    def map(self, frequency: float, log_luminance: Picture) -> Picture:
        """Give nCSF of one frequency for a picture of log10 adapting luminance, from a table."""
        return np.asarray(np.interp(log_luminance, _LOG_LIGHT, self.at(frequency, _LOG_LIGHT)))
