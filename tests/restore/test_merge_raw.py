"""Camera RAW in a bracket: merged in the channels of the sensor, where each clips by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rawpy")
pytest.importorskip("pillow_heif")

from makers import dng

import headroom
from headroom.io import read_hdr

SENSOR_WHITE = np.array([0.5, 1.0, 0.7])


def test_a_lamp_that_clips_in_the_reference_is_measured_and_white(tmp_path: Path) -> None:
    y, x = np.mgrid[:96, :128]
    light = 0.1 + 0.05 * np.sin(x / 5) * np.cos(y / 7) + 3 * np.exp(-((y - 48) ** 2 + (x - 64) ** 2) / 200)
    paths = []
    for ev in (-2, 0, 2):
        paths.append(tmp_path / f"{ev}.dng")
        paths[-1].write_bytes(dng(np.minimum(light[..., None] * SENSOR_WHITE * 2.0**ev, 1)))
    hdr = headroom.merge(headroom.read_bracket(paths, [-2, 0, 2]))
    assert not hdr.provenance["rejected"]
    reference = read_hdr(paths[1]).pixels
    dim = (light > 0.05) & (light < 0.3)
    assert np.median((hdr.pixels / reference)[dim]) == pytest.approx(1, rel=0.01)
    lamp = hdr.pixels[48, 64] / hdr.pixels[dim].mean() * light[dim].mean()
    np.testing.assert_allclose(lamp, light[48, 64], rtol=0.05)
    assert hdr.recovered is not None
    assert hdr.recovered[48, 64] == 0
