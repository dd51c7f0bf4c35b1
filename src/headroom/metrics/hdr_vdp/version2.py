"""HDR-VDP-2.2.1: its quality score Q."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headroom.metrics.hdr_vdp.display import Picture, checked
from headroom.metrics.hdr_vdp.masking import (
    across_levels,
    across_orientations,
    mutual_activity,
    normalised_difference,
)
from headroom.metrics.hdr_vdp.optics import filter_wide, frequencies, light_on_retina
from headroom.metrics.hdr_vdp.photoreceptors import Photoreceptors
from headroom.metrics.hdr_vdp.pyramid import Bands, band_frequencies, greatest_height, steerable_pyramid
from headroom.metrics.hdr_vdp.sensitivity import NeuralSensitivity
from headroom.metrics.hdr_vdp.steerable_filters import four_orientations
from headroom.metrics.resizing import resize

_SURROUND_NITS = 1e-5

_PHOTORECEPTORS = Photoreceptors(
    # The fundamentals of Smith and Pokorny 1975 and CIE 1951's scotopic luminosity, integrated over the red, green and
    # blue of a liquid crystal display with fluorescent back light: what the program takes for BT.709.
    absorbed=(
        (0.198996120337929, 0.0410058604075889, 0.0143773686211192),
        (0.404762607038125, 0.254923306441346, 0.480920841084132),
        (0.0543906192553212, 0.0500122489593007, 0.45427589566936),
    ),
    joint=(30.162, 4.0627, 1.6596, 0.2712),
    rods=(1.1732, 1.1478, 1.2167, 0.5547, 2.9899, 1.1414),
    peak_sensitivity=0.006894596 * 10**2.4,
)

_NEURAL = NeuralSensitivity(
    luminance_nits=(0.002, 0.02, 0.2, 2.0, 20.0, 150.0),
    parameters=(
        (0.991265, 3.74038, 0.50722, 4.46044),
        (0.800889, 3.54104, 0.682505, 4.94958),
        (0.476505, 4.37453, 0.750315, 5.28678),
        (0.405782, 4.40602, 0.935314, 5.61425),
        (0.334278, 3.79542, 1.07327, 6.4635),
        (0.394533, 2.7755, 1.16577, 7.45665),
    ),
)

_P, _Q = 10**0.544068, 10**0.49576
_MASK_SELF, _MASK_ORIENTATIONS, _MASK_LEVELS = 10**0.189065, 10**0.449199, 10**1.52512

# Narwaria et al. 2015: weights w_f of bands by their frequency in cycles per degree, from low to high.
_WEIGHT_FREQUENCIES = (0.1172, 0.2344, 0.4688, 0.9375, 1.875, 3.75, 7.5, 15.0, 30.0, 60.0)
_WEIGHTS = (0.0, 0.0, 0.0003, 0.0003, 0.0398, 0.2690, 0.2142, 0.2832, 0.2832, 0.0)
_SAME = 0.001
_EPSILON = 1e-12


def hdr_vdp2_quality(test: NDArray[np.floating], reference: NDArray[np.floating], pixels_per_degree: float) -> float:
    """Give the quality Q of HDR-VDP-2.2.1, as `hdrvdp(test, reference, 'rgb-bt.709', pixels_per_degree)` does.

    Args:
        test: H x W x 3, linear BT.709, cd/m2.
        reference: H x W x 3, linear BT.709, cd/m2.
        pixels_per_degree: Pixels of the display that one degree of view holds; 30 is usual.

    Returns:
        100 for pictures that look the same, less for worse ones; very bad ones come below 0.

    Raises:
        UsageError: Sizes that differ or are below 17 pixels, or values that aren't light in cd/m2.
    """
    test, reference = checked(test, reference, pixels_per_degree)
    bands_test, adaptation_test = _see(test, pixels_per_degree)
    bands_reference, adaptation_reference = _see(reference, pixels_per_degree)
    base_surround = float(bands_reference[-1][0].mean())
    _filter_base(bands_test, adaptation_test, base_surround, pixels_per_degree)
    _filter_base(bands_reference, adaptation_reference, base_surround, pixels_per_degree)
    adaptation = np.log10(np.clip((adaptation_test + adaptation_reference) / 2, 1e-5, 1e5))
    differs = np.any(np.abs(test - reference) > _SAME * reference, axis=2).astype(np.float64)
    return 100 - _visible_error(bands_test, bands_reference, adaptation, differs, pixels_per_degree)


def _see(light: Picture, pixels_per_degree: float) -> tuple[Bands, Picture]:
    """Give the bands of the response to a picture, and the luminance that each pixel adapts the eye to."""
    absorbed = _PHOTORECEPTORS.absorb(light_on_retina(light, pixels_per_degree, _SURROUND_NITS))
    response = _PHOTORECEPTORS.respond(absorbed)
    filters = four_orientations()
    bands = steerable_pyramid(response - response.mean(), filters, greatest_height(response.shape, filters))
    return bands, absorbed[..., 0] + absorbed[..., 1]


def _filter_base(bands: Bands, adaptation: Picture, surround: float, pixels_per_degree: float) -> None:
    """Apply nCSF to the base band, which is too wide for one value of it."""
    base = bands[-1][0]
    # The program's resolution of this band is sqrt(2) times the true one; its author found that it works better.
    resolution = pixels_per_degree / 2 ** (len(bands) - 1) * np.sqrt(2)
    response = _NEURAL.at(frequencies(base.shape, resolution), np.log10(adaptation.mean()))
    bands[-1] = [filter_wide(base, response, surround)]


def _visible_error(
    test: Bands, reference: Bands, adaptation: Picture, differs: Picture, pixels_per_degree: float
) -> float:
    """Pool D over pixels, orientations and bands.

    That is eq. 24 with the weights of 2015, and with the program's root of the squares' sum over the number of pixels
    in place of their mean, a sum in place of the mean over bands, and the floor epsilon taken off.

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
        weight = float(np.interp(frequency, _WEIGHT_FREQUENCIES, _WEIGHTS))
        if weight == 0:
            continue
        shape = test[level][0].shape
        neural = _NEURAL.map(frequency, resize(adaptation, shape)) if level < base else np.ones(shape)
        visible = resize(differs, shape)
        changes = [a - b for a, b in zip(test[level], reference[level], strict=True)]
        for orientation, change in enumerate(changes):
            difference = visible * _difference(change, neural, activity, level, orientation)
            root = np.sqrt(np.sum(difference**2)) / difference.size
            error += weight * float(np.log((root + _EPSILON) / _EPSILON))
    return error


def _difference(change: Picture, neural: Picture, activity: Bands, level: int, orientation: int) -> Picture:
    """Give D of a band (eq. 11), of its change, its nCSF and the activity of all bands."""
    mask = neural**_Q * _masking(activity, level, orientation)
    # Of all that eq. 11 compares, the program leaves only N_nCSF without n_f of eq. 15.
    return normalised_difference(change, neural**-_P / 2**level, mask, _P)


def _masking(activity: Bands, level: int, orientation: int) -> Picture:
    """Give N_mask without nCSF^q (eq. 14)."""
    return np.asarray(
        _MASK_SELF * activity[level][orientation] ** _Q
        + _MASK_ORIENTATIONS * across_orientations(activity, level, orientation) ** _Q
        + _MASK_LEVELS * across_levels(activity, level, orientation) ** _Q
    )
