"""Cones and rods: from light on the retina to a response in units of just noticeable differences. Equations 3 to 10."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headroom.metrics.hdr_vdp.display import Picture

_LOG_LIGHT = np.linspace(-5, 5, 2048)
"""Log10 of the light at which the responses are tabulated, cd/m2."""


@dataclass(frozen=True, slots=True)
class Photoreceptors:
    """What an eye is sensitive to.

    Attributes:
        absorbed: Light that L cones, M cones and rods take from a unit of each emitter, a row per emitter (eq. 3).
        joint: p5 to p8 of the joint sensitivity of cones and rods (eq. 23).
        rods: Peak in cd/m2, width and exponent below it, width and exponent above it, log10 of the height.
        peak_sensitivity: s_peak (eq. 6).
    """

    absorbed: tuple[tuple[float, float, float], ...]
    joint: tuple[float, float, float, float]
    rods: tuple[float, float, float, float, float, float]
    peak_sensitivity: float

    def absorb(self, light: Picture) -> Picture:
        """Give what L cones, M cones and rods absorb, H x W x 3, of light on the retina, H x W x 3 (eq. 4)."""
        return np.asarray(light @ np.array(self.absorbed))

    def respond(self, absorbed: Picture) -> Picture:
        """Give the achromatic response in just noticeable differences, H x W (eqs 5 and 10)."""
        # Light beyond the ends of the table responds as at its ends.
        long_cones, medium_cones, rods = np.moveaxis(np.log10(absorbed), 2, 0)
        of_cones, of_rods = self._transducers()
        return np.asarray(
            np.interp(long_cones, _LOG_LIGHT, of_cones)
            + np.interp(medium_cones, _LOG_LIGHT, of_cones)
            + np.interp(rods, _LOG_LIGHT, of_rods)
        )

    def _transducers(self) -> tuple[Picture, Picture]:
        """Give the responses of a cone and of the rods over the table's light (eq. 6)."""
        light = 10**_LOG_LIGHT
        rods = self._rod_sensitivity(light)
        both = np.maximum(self._joint_sensitivity(light) - rods, 1e-3)
        cone = 0.5 * np.interp(2 * light, light, both)  # eq. 9: L and M cones halve what isn't the rods'
        return self._integrate(cone), self._integrate(rods)

    def _integrate(self, sensitivity: Picture) -> Picture:
        """Sum Fechner's just noticeable steps, dr = r / s(r), over the logarithm of light (eq. 6)."""
        step = _LOG_LIGHT[1] - _LOG_LIGHT[0]
        areas = (sensitivity[1:] + sensitivity[:-1]) / 2 * step * np.log(10)
        return self.peak_sensitivity * np.concatenate([[0.0], np.cumsum(areas)])

    def _joint_sensitivity(self, light: Picture) -> Picture:
        p5, p6, p7, p8 = self.joint
        return np.asarray(p5 * ((p6 / light) ** p7 + 1) ** -p8)  # eq. 23

    def _rod_sensitivity(self, light: Picture) -> Picture:
        peak, width_below, exponent_below, width_above, exponent_above, log_height = self.rods
        distance = np.abs(np.log10(light / peak))
        above: NDArray[np.bool_] = light > peak
        fall = np.where(above, distance**exponent_above / width_above, distance**exponent_below / width_below)
        return np.asarray(np.exp(-fall) * 10**log_height)
