"""Matrices against colour-science."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

import colour
from headroom.colour.primaries import conversion_matrix, convert, luminance_weights, rgb_to_xyz
from headroom.image import Primaries

NAMES: tuple[Primaries, ...] = get_args(Primaries)
SPACES = {
    "bt709": "ITU-R BT.709",
    "p3": "Display P3",
    "bt2020": "ITU-R BT.2020",
    "adobe-rgb": "Adobe RGB (1998)",
    "prophoto": "ROMM RGB",
}
D65 = (0.3127, 0.3290)


def reference(name: Primaries) -> np.ndarray:
    space = colour.RGB_COLOURSPACES[SPACES[name]]
    matrix = colour.normalised_primary_matrix(space.primaries, space.whitepoint)
    if np.allclose(space.whitepoint, D65):
        return matrix
    whites = (colour.xy_to_XYZ(white) for white in (space.whitepoint, D65))
    return colour.adaptation.matrix_chromatic_adaptation_VonKries(*whites, transform="Bradford") @ matrix


@pytest.mark.parametrize("name", NAMES)
def test_matrix_to_xyz(name: Primaries) -> None:
    atol = 1e-5 if name == "prophoto" else 1e-12  # six digits of what the adaptation gives
    np.testing.assert_allclose(rgb_to_xyz(name), reference(name), atol=atol)


@pytest.mark.parametrize("source", NAMES)
@pytest.mark.parametrize("target", NAMES)
def test_conversion(source: Primaries, target: Primaries) -> None:
    pixels = np.random.default_rng(1).random((700, 401, 3), np.float32) * 8
    atol = 2e-4 if "prophoto" in {source, target} else 1e-5
    expected = pixels @ (np.linalg.inv(reference(target)) @ reference(source)).T
    np.testing.assert_allclose(convert(pixels, source, target), expected, atol=atol)
    np.testing.assert_allclose(conversion_matrix(source, target) @ np.ones(3), 1, atol=1e-12)  # white stays white


def test_luminance_weights_are_those_of_the_standards() -> None:
    np.testing.assert_allclose(luminance_weights("bt709"), [0.2126, 0.7152, 0.0722], atol=5e-5)
    np.testing.assert_allclose(luminance_weights("bt2020"), [0.2627, 0.6780, 0.0593], atol=5e-5)
