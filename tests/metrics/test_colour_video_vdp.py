"""ColorVideoVDP as its authors call it; their package is an extra."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from headroom.metrics import registry
from headroom.metrics.contract import Pair

(METRIC,) = registry.find(["cvvdp"])


def test_it_is_what_the_package_says_of_a_linear_hdr_display() -> None:
    if todo := registry.missing(METRIC, None):
        pytest.skip(todo)
    generator = np.random.default_rng(0)
    truth = np.exp(generator.uniform(0, 6.9, (96, 128, 3))).astype(np.float32)
    prediction = (truth * np.exp(generator.normal(0, 0.3, truth.shape))).astype(np.float32)
    found = METRIC.open(Path())(Pair("nits", prediction, truth))
    import pycvvdp
    from pycvvdp.display_model import vvdp_display_geometry, vvdp_display_photo_eotf

    display = vvdp_display_photo_eotf(1500, contrast=1e6, source_colorspace="BT.709-linear", E_ambient=10)
    geometry = vvdp_display_geometry((3840, 2160), distance_m=0.7472, diagonal_size_inches=30)
    predictor = pycvvdp.cvvdp(display_photometry=display, display_geometry=geometry, quiet=True)
    tensors = (torch.from_numpy(picture).permute(2, 0, 1) for picture in (prediction, truth))
    expected = predictor.predict(*tensors, dim_order="CHW")[0]
    assert found == pytest.approx(float(expected), abs=1e-3)
    assert 3 < found < 9.9
