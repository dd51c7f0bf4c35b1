"""The statistics of natural pictures that BRISQUE and NIQE look at, and the normalisation that PIQE shares with them.

Mittal, Moorthy, Bovik, "No-reference image quality assessment in the spatial domain", TIP 2012. Equation numbers are
this paper's. In natural pictures, intensities less their local mean over their local deviation follow a generalised
Gaussian, and products of neighbours an asymmetric one; distortions change both.
"""

from __future__ import annotations

import functools
from math import lgamma

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float64]

_GREY = np.array([0.298936021293775, 0.587043074451121, 0.114020904255103])
"""MATLAB's `rgb2gray`."""

_WINDOW_PX, _SIGMA_PX = 7, 7 / 6
_ROUNDING = 1e-9
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Shifts in rows and columns to the neighbours right, below and on both diagonals (eqs 8 to 11)."""


def to_grey(picture: NDArray[np.floating]) -> Picture:
    """Weigh H x W x 3 into H x W."""
    return np.asarray(picture.astype(np.float64) @ _GREY)


def grey_codes(codes: NDArray[np.floating]) -> Picture:
    """Give the whole grey codes, 0 to 255, of code values in [0, 1], H x W x 3."""
    return np.round(to_grey(np.round(255 * codes.astype(np.float64))))


def contrast_normalised(grey: Picture, border: int) -> Picture:
    """Subtract the local mean and divide by the local deviation (eqs 1 to 3).

    Args:
        grey: H x W, 0 to 255.
        border: OpenCV's name for what lies beyond the picture.
    """
    mean, deviation = local_moments(grey, border)
    difference = grey - mean
    # Where nothing varies, as in clipped skies, the sign of what rounding leaves would count below.
    difference[np.abs(difference) < _ROUNDING] = 0
    return np.asarray(difference / (deviation + 1))


def local_moments(grey: Picture, border: int) -> tuple[Picture, Picture]:
    """Give the mean and the deviation in a Gaussian window around each pixel (eqs 2 and 3)."""
    mean = _blurred(grey, border)
    return mean, np.sqrt(np.abs(_blurred(grey**2, border) - mean**2))


def in_blocks(picture: Picture, side_px: int) -> Picture:
    """Cut H x W into blocks x side x side, by rows; sizes are multiples of the side."""
    rows = picture.reshape(-1, side_px, picture.shape[1] // side_px, side_px)
    return rows.swapaxes(1, 2).reshape(-1, side_px, side_px)


def neighbour_products(normalised: Picture) -> list[Picture]:
    """Multiply each value with its four kinds of neighbours; the picture goes on at its other side."""
    return [normalised * np.roll(normalised, shift, axis=(0, 1)) for shift in _NEIGHBOURS]


def fit_asymmetric(values: Picture) -> tuple[float, float, float]:
    """Fit an asymmetric generalised Gaussian by its moments: shape, left and right deviation.

    Lasmar, Stitou, Berthoumieu, "Multiscale skewed heavy tailed model for texture analysis", ICIP 2009.
    A side without values has the deviation nan, and so has the shape.
    """
    left, right = (_root_mean_square(values[side]) for side in (values < 0, values > 0))
    if not left > 0 or not right > 0:
        return float("nan"), left, right
    balance = left / right
    flatness = np.abs(values).mean() ** 2 / (values**2).mean()
    target = flatness * (balance**3 + 1) * (balance + 1) / (balance**2 + 1) ** 2
    return _shape(target), left, right


def fit_symmetric(values: Picture) -> tuple[float, float]:
    """Fit a generalised Gaussian by its moments: shape and deviation.

    Sharifi, Leon-Garcia, "Estimation of shape parameter for generalized Gaussian distributions in subband
    decompositions of video", 1995.
    """
    square = float((values**2).mean())
    if square == 0:
        return float("nan"), 0.0
    shapes, flatness = _shapes()
    spread = square / np.abs(values).mean() ** 2
    return float(shapes[np.abs(1 / flatness - spread).argmin()]), square**0.5


def gamma_ratio(numerator: float, denominator: float) -> float:
    """Give the quotient of two values of the gamma function; nan of nan."""
    return float(np.exp(lgamma(numerator) - lgamma(denominator)))


def _shape(flatness: float) -> float:
    shapes, known = _shapes()
    return float(shapes[np.abs(known - flatness).argmin()])


@functools.cache
def _shapes() -> tuple[Picture, Picture]:
    """Tabulate shapes and their flatness, E|x|^2 / E x^2, as the authors' programs do."""
    shapes = np.arange(200, 10_001) / 1000
    flatness = [np.exp(2 * lgamma(2 / shape) - lgamma(1 / shape) - lgamma(3 / shape)) for shape in shapes]
    return shapes, np.array(flatness)


def _root_mean_square(values: Picture) -> float:
    return float(np.sqrt((values**2).mean())) if values.size else float("nan")


def _blurred(picture: Picture, border: int) -> Picture:
    window = cv2.getGaussianKernel(_WINDOW_PX, _SIGMA_PX)
    blurred: Picture = cv2.sepFilter2D(picture, cv2.CV_64F, window, window, borderType=border)
    return blurred
