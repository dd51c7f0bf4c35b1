"""Small pictures for the tests of files."""

from __future__ import annotations

import os

import numpy as np
import pytest
from numpy.typing import NDArray

from headroom.image import FloatImage

# colour-science, a reference of these tests, warns without its plotting extra; warnings are errors here.
os.environ.setdefault("COLOUR_SCIENCE__FILTER_USAGE_WARNINGS", "1")


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    """Return 12 x 17 x 3 codes without any symmetry, smooth enough for JPEG."""
    y, x = np.mgrid[:12, :17]
    return np.stack([x * 15, y * 20, (x + 2 * y) * 6], axis=-1).astype(np.uint8)


@pytest.fixture
def deep_picture(picture: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the same in 16 bits, with low bytes of its own."""
    return (picture.astype(np.uint16) * 257) ^ np.uint16(0x35)


@pytest.fixture
def light() -> FloatImage:
    """Return 11 x 19 x 3 linear light over forty stops, zero and the extremes of half floats included."""
    generator = np.random.default_rng(5)
    pixels = np.exp2(generator.uniform(-24, 16, (11, 19, 3))).astype(np.float32)
    pixels[0, :3] = [[0, 0, 0], [65504, 1, 2**-24], [0, 0, 7]]
    return pixels
