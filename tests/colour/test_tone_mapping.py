"""Tone curves by their properties."""

from __future__ import annotations

import numpy as np
import pytest
from colour.models import RGB_to_HSV
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from headroom.colour.tone_mapping import extended_reinhard, filmic, inverse_mu_law, inverse_reinhard, mu_law, reinhard

LIGHT = np.concatenate([[0], np.geomspace(1e-4, 1e4, 5000)]).astype(np.float32)
GREY = LIGHT[:, None].repeat(3, axis=1)


def test_mu_law_has_the_published_end_points_and_inverse() -> None:
    assert mu_law(1.0) == pytest.approx(1.0)
    assert mu_law(0.01) == pytest.approx(np.log(51) / np.log(5001))
    np.testing.assert_allclose(inverse_mu_law(mu_law(LIGHT)), LIGHT, rtol=3e-6)


def test_reinhard_halves_white_and_has_an_inverse() -> None:
    assert reinhard(1.0) == pytest.approx(0.5)
    below_100 = LIGHT[LIGHT < 100]
    np.testing.assert_allclose(inverse_reinhard(reinhard(below_100)), below_100, rtol=1e-5)
    assert np.isfinite(inverse_reinhard(1.0))


def test_extended_reinhard_puts_its_white_at_one() -> None:
    assert extended_reinhard(4.0, white=4.0) == pytest.approx(1.0)
    assert extended_reinhard(9.0, white=4.0) == pytest.approx(1.0)
    np.testing.assert_allclose(extended_reinhard(LIGHT, white=1e9), reinhard(LIGHT), rtol=1e-6)


@pytest.mark.parametrize("curve", [reinhard, lambda x: extended_reinhard(x, white=8.0), filmic])
def test_curves_rise_from_zero_to_one(curve) -> None:
    mapped = curve(GREY)
    assert mapped[0, 0] == 0
    assert (np.diff(mapped, axis=0) >= 0).all()
    assert 0.99 < mapped[-1, 0] <= 1


@pytest.mark.parametrize("curve", [mu_law, reinhard, lambda x: extended_reinhard(x, white=8.0), filmic])
def test_light_below_zero_counts_as_zero(curve) -> None:
    np.testing.assert_array_equal(curve(np.full((1, 3), -1.0)), np.zeros((1, 3)))


@given(arrays(np.float32, 3, elements=st.floats(0, 0.59375, width=32)))
def test_filmic_leaves_ordinary_light_alone(rgb: np.ndarray) -> None:
    np.testing.assert_allclose(filmic(rgb), rgb, rtol=1e-6)


@given(arrays(np.float32, 3, elements=st.floats(0, 16, width=32, allow_subnormal=False)), st.floats(1, 100, width=32))
def test_more_light_never_lowers_a_channel(rgb: np.ndarray, factor: float) -> None:
    assert (filmic(rgb * np.float32(factor)) - filmic(rgb) >= -1e-6).all()


@given(arrays(np.float32, 3, elements=st.floats(np.float32(0.01), 64, width=32)))
def test_filmic_keeps_the_hue(rgb: np.ndarray) -> None:
    mapped = filmic(rgb)
    if np.ptp(mapped) > 1e-3:
        turn = abs(RGB_to_HSV(rgb / rgb.max())[0] - RGB_to_HSV(mapped / mapped.max())[0])
        assert min(turn, 1 - turn) < 1e-2


def test_filmic_has_no_kink_at_its_knee() -> None:
    slopes = np.diff(filmic(np.linspace(0.5, 0.7, 401)[:, None].repeat(3, axis=1))[:, 0]) / (0.2 / 400)
    assert np.abs(np.diff(slopes)).max() < 0.01
