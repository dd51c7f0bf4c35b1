"""HDR-VDP-3.0.7: its quality score in just-objectionable differences, for an observer of 24 years."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from headroom.metrics.hdr_vdp.display import Picture, checked
from headroom.metrics.hdr_vdp.masking import across_levels, mutual_activity, normalised_difference
from headroom.metrics.hdr_vdp.optics import (
    filter_wide,
    frequencies,
    light_on_retina,
    modulation_transfer,
)
from headroom.metrics.hdr_vdp.photoreceptors import Photoreceptors
from headroom.metrics.hdr_vdp.pyramid import Bands, band_frequencies, greatest_height, steerable_pyramid
from headroom.metrics.hdr_vdp.sensitivity import NeuralSensitivity
from headroom.metrics.hdr_vdp.steerable_filters import one_orientation
from headroom.metrics.resizing import resize

# BT.709 to the emitters of a liquid crystal display with LED back light and a gamut like BT.709's, by CIE 1931.
_EMITTERS = np.array([
    (1.11061634650815, 0.00304895243308645, 0.00103842613099726),
    (-0.00664494388208689, 0.977233370784553, -0.00213034445529185),
    (0.00331999693937883, 0.0144033655179221, 0.990324729346755),
])  # fmt: skip
_DARKEST_EMITTER = 1e-6

_PHOTORECEPTORS = Photoreceptors(
    # The fundamentals of Smith and Pokorny 1975 and CIE 1951's scotopic luminosity, integrated over that display's
    # emission as the lens of an eye of 24 years lets it pass (Pokorny 1987); L + M of white is 1.
    absorbed=(
        (0.15825370458246, 0.0321684220938571, 0.037953919505999),
        (0.447570615157643, 0.28144253906536, 0.625734622470881),
        (0.0418696098638415, 0.0386951092368381, 0.36617348374792),
    ),
    joint=(315.98, 6.7977, 1.6008, 0.25534),
    rods=(1.1732, 1.32, 1.095, 0.5547, 2.9899, 1.8),
    peak_sensitivity=10**0.203943775672,
)

_CSF = NeuralSensitivity(
    luminance_nits=(0.0002, 0.002, 0.02, 0.2, 2.0, 20.0, 150.0),
    parameters=(
        (1.26181, 4.27832, 0.361902, 3.11914),
        (0.893585, 4.27832, 0.361902, 2.18938),
        (0.84864, 3.57253, 0.530355, 3.12486),
        (0.699243, 3.94545, 0.68608, 4.41846),
        (0.530826, 4.25337, 0.866916, 4.65117),
        (0.459297, 3.78765, 0.981028, 4.33546),
        (0.312626, 4.15264, 0.952367, 3.22389),
    ),
)
"""Unlike in version 2, optics are still in these fits."""

_ADAPTATION_DEGREES = 10**-0.781367
_AGE, _AGE_OF_FITS, _AGE_OF_FORMULA = 24.0, 28.0, 28.58
_P, _Q = 10**0.3424, 10**0.108934275615
_MASK_SELF, _MASK_LEVELS = 10**1.41846291721, 10**0.136877512403
_SAME = 0.001
_POOLING = 0.8
_FLOOR = -4.0
"""Logarithm of the smallest error that counts."""


def hdr_vdp3_quality(test: NDArray[np.floating], reference: NDArray[np.floating], pixels_per_degree: float) -> float:
    """Give Q_JOD of HDR-VDP-3.0.7, as `hdrvdp3('quality', test, reference, 'rgb-bt.709', pixels_per_degree)` does.

    Args:
        test: H x W x 3, linear BT.709, cd/m2.
        reference: H x W x 3, linear BT.709, cd/m2.
        pixels_per_degree: Pixels of the display that one degree of view holds; 30 is usual.

    Returns:
        10 for pictures that look the same; one less is what three of four people see as worse. Can be below 0.

    Raises:
        UsageError: Sizes that differ or are below 17 pixels, or values that aren't light in cd/m2.
    """
    emitted_test, emitted_reference = (
        np.maximum(light @ _EMITTERS.T, _DARKEST_EMITTER) for light in checked(test, reference, pixels_per_degree)
    )
    bands_test, adaptation_test = _see(emitted_test, pixels_per_degree)
    bands_reference, adaptation_reference = _see(emitted_reference, pixels_per_degree)
    adaptation = np.log10(np.clip((adaptation_test + adaptation_reference) / 2, 1e-5, 1e5))
    differs = np.any(np.abs(emitted_test - emitted_reference) > _SAME * emitted_reference, axis=2).astype(np.float64)
    error = _visible_error(bands_test, bands_reference, adaptation, differs, pixels_per_degree)
    lost = max(np.log(np.exp(_FLOOR) + error) - _FLOOR, 0)
    return float(10 - 0.52 * lost**1.2812)  # the fit to people's judgements


def _see(emitted: Picture, pixels_per_degree: float) -> tuple[Bands, Picture]:
    """Give the bands of the response to a display, and the luminance that each pixel adapts the eye to."""
    absorbed = _PHOTORECEPTORS.absorb(light_on_retina(emitted, pixels_per_degree, "symmetric"))
    adaptation = _adapting_luminance(absorbed[..., 0] + absorbed[..., 1], pixels_per_degree)
    response = _PHOTORECEPTORS.respond(absorbed * _pupil_gain(adaptation, pixels_per_degree))
    filters = one_orientation()
    # The base band begins below 2 cycles per degree, or where the picture gets too small.
    height = min(int(np.ceil(np.log2(pixels_per_degree))) - 2, greatest_height(response.shape, filters))
    bands = steerable_pyramid(response, filters, height)
    return [*bands[:-1], [bands[-1][0] - bands[-1][0].mean()]], adaptation


def _adapting_luminance(luminance: Picture, pixels_per_degree: float) -> Picture:
    """Blur the logarithm of luminance: model 7 of Vangorp et al., "A model of local adaptation", 2015."""
    sigma_px = _ADAPTATION_DEGREES * pixels_per_degree
    blurred: Picture
    if sigma_px < 4.3:
        window = cv2.getGaussianKernel(round(6 * sigma_px) // 2 * 2 + 1, sigma_px)
        blurred = cv2.sepFilter2D(np.log(luminance), cv2.CV_64F, window, window, borderType=cv2.BORDER_REPLICATE)
    else:
        gaussian = np.exp(-((2 * np.pi * sigma_px * frequencies(luminance.shape, 1)) ** 2) / 2)
        blurred = filter_wide(np.log(luminance), gaussian, "edge")
    return np.exp(blurred)


def _pupil_gain(adaptation: Picture, pixels_per_degree: float) -> float:
    """Give the light that the observer's pupil lets in, relative to that of the people of the fits.

    Watson and Yellott, "A unified formula for light-adapted pupil size", Journal of Vision 2012.
    """
    flux = np.exp(np.log(adaptation).mean()) * adaptation.size / pixels_per_degree**2
    power = (flux / 846) ** 0.41
    diameter_mm = 7.75 - 5.75 * power / (power + 2)
    slope = 0.02132 - 0.009562 * diameter_mm
    ours, theirs = (diameter_mm + (age - _AGE_OF_FORMULA) * slope for age in (_AGE, _AGE_OF_FITS))
    return float((ours / theirs) ** 2)


def _visible_error(
    test: Bands, reference: Bands, adaptation: Picture, differs: Picture, pixels_per_degree: float
) -> float:
    """Pool D over pixels and bands.

    Args:
        test: Bands of the test.
        reference: Bands of the reference.
        adaptation: H x W, log10 of the adapting luminance in cd/m2.
        differs: H x W, 1 where the pictures aren't the same.
        pixels_per_degree: Resolution.
    """
    activity = mutual_activity(test, reference)
    base = len(test) - 1
    error = 0.0
    for level, frequency in enumerate(band_frequencies(base - 1, pixels_per_degree)):
        change = test[level][0] - reference[level][0]
        if not change.any():
            continue
        adapted = resize(adaptation, change.shape)
        if level == base:
            dominant = _dominant_frequency(change, 4 * frequency)
            neural = _CSF.at(dominant, np.clip(adapted, -5, 5).mean()) / modulation_transfer(dominant)
        else:
            neural = _CSF.map(frequency, adapted) / modulation_transfer(frequency)
        mask = _MASK_SELF * activity[level][0] ** _Q + _MASK_LEVELS * across_levels(activity, level, 0) ** _Q
        difference = resize(differs, change.shape) * normalised_difference(change, neural**-_P, mask, _P)
        error += float(np.mean(np.abs(difference) ** _POOLING) ** (1 / _POOLING)) / len(test)
    return error


def _dominant_frequency(band: Picture, pixels_per_degree: float) -> float:
    """Give the frequency, not 0, that a band has most of, in cycles per degree."""
    spectrum = np.abs(np.fft.rfft2(band))
    spectrum[0, 0] = 0
    row, column = np.unravel_index(spectrum.argmax(), spectrum.shape)
    return float(np.hypot(np.fft.fftfreq(len(band))[row], column / band.shape[1])) * pixels_per_degree
