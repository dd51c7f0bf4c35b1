"""Curves against colour-science, and against their own inverses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from colour.models import (
    eotf_BT2100_HLG,
    eotf_inverse_BT2100_HLG,
    eotf_inverse_sRGB,
    eotf_inverse_ST2084,
    eotf_sRGB,
    eotf_ST2084,
    oetf_BT2020,
    oetf_inverse_BT2020,
)
from colour.models.rgb.transfer_functions.itur_bt_2020 import CONSTANTS_BT2020_PRECISE
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from headroom.colour.transfer import decode, decode_codes, encode
from headroom.errors import UsageError
from headroom.image import SDR_WHITE_NITS, Encoding, TransferName

NAMES: tuple[TransferName, ...] = get_args(TransferName)
CODES = np.linspace(0, 1, 3 * 2001, dtype=np.float32).reshape(-1, 3)
# Light as people meet it: starlight to the 10,000 cd/m2 at which PQ ends, and exact black.
NITS = np.concatenate([[0], np.geomspace(1e-4, 1e4, 3 * 2000 - 1)]).astype(np.float32).reshape(-1, 3)

Reference = Callable[[NDArray[Any]], NDArray[Any]]
REFERENCES: dict[TransferName, tuple[Reference, Reference]] = {
    "srgb": (eotf_sRGB, eotf_inverse_sRGB),
    "bt709": (
        lambda code: oetf_inverse_BT2020(code, constants=CONSTANTS_BT2020_PRECISE),
        lambda light: oetf_BT2020(light, constants=CONSTANTS_BT2020_PRECISE),
    ),
    "gamma22": (lambda code: code**2.2, lambda light: light ** (1 / 2.2)),
    "gamma18": (lambda code: code**1.8, lambda light: light ** (1 / 1.8)),
    "adobe-rgb": (lambda code: code ** (563 / 256), lambda light: light ** (256 / 563)),
    "linear": (lambda code: code, lambda light: light),
    "pq": (lambda code: eotf_ST2084(code) / 203, lambda light: eotf_inverse_ST2084(light * 203)),
    "hlg": (lambda code: eotf_BT2100_HLG(code) / 203, lambda light: eotf_inverse_BT2100_HLG(light * 203)),
}


@pytest.mark.parametrize("name", NAMES)
def test_decode_agrees_with_colour_science(name: TransferName) -> None:
    expected = REFERENCES[name][0](CODES.astype(np.float64))
    # The reference decodes BT.709 with the joint of the rounded constants, which is 4e-8 off.
    np.testing.assert_allclose(decode(CODES, name), expected, rtol=1e-6, atol=1e-7 if name == "bt709" else 1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_encode_agrees_with_colour_science(name: TransferName) -> None:
    light = (NITS[:-1] if name in {"pq", "hlg"} else CODES).astype(np.float64)
    light = light / SDR_WHITE_NITS if name in {"pq", "hlg"} else light
    with np.errstate(invalid="ignore"):  # the reference takes the logarithm of both branches
        expected = REFERENCES[name][1](light)
    np.testing.assert_allclose(encode(light, name), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_encode_then_decode_returns_the_light_up_to_10000_nits(name: TransferName) -> None:
    light = NITS / np.float32(SDR_WHITE_NITS)
    np.testing.assert_allclose(decode(encode(light, name), name), light, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_decode_then_encode_returns_the_code(name: TransferName) -> None:
    np.testing.assert_allclose(encode(decode(CODES, name), name), CODES, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
@given(first=st.floats(0, 1, width=32), second=st.floats(0, 1, width=32))
def test_decode_is_monotone(name: TransferName, first: float, second: float) -> None:
    low, high = decode(np.sort([first, second]).repeat(3).reshape(2, 3), name)
    assert (low <= high).all()


def test_fixed_points_of_the_scale() -> None:
    grey = np.ones(3)
    assert decode(1.0, "pq") == pytest.approx(10_000 / 203)
    assert encode(1.0, "pq") == pytest.approx(0.58069, abs=1e-5)  # ITU-R BT.2408: SDR white is at 58 % PQ
    assert decode(grey, "hlg") == pytest.approx(1_000 / 203)
    assert encode(grey, "hlg") == pytest.approx(0.75, abs=2e-3)  # and at 75 % HLG
    assert decode(1.0, "srgb") == decode(1.0, "bt709") == 1.0


def test_hlg_keeps_the_hue_of_scene_light() -> None:
    rgb = decode(np.array([[0.8, 0.4, 0.2]]), "hlg")
    scene = np.array([(np.exp((0.8 - 0.55991073) / 0.17883277) + 0.28466892) / 12, 0.4**2 / 3, 0.2**2 / 3])
    np.testing.assert_allclose(rgb[0] / rgb[0].sum(), scene / scene.sum(), rtol=1e-6)


@pytest.mark.parametrize("name", ["srgb", "bt709", "gamma22", "gamma18", "adobe-rgb", "linear"])
def test_relative_curves_are_mirrored_and_continued(name: TransferName) -> None:
    values = np.array([0.001, 0.5, 3.0], np.float32)
    np.testing.assert_array_equal(decode(-values, name), -decode(values, name))
    np.testing.assert_allclose(encode(decode(values, name), name), values, rtol=1e-6)


def test_absolute_curves_clip() -> None:
    np.testing.assert_array_equal(decode([-1, 2], "pq"), decode([0, 1], "pq"))
    np.testing.assert_array_equal(encode([-1, 1e6], "pq"), encode([0, 1e4 / 203], "pq"))
    np.testing.assert_array_equal(decode([-1, -1, -1], "hlg"), [0, 0, 0])


def test_hlg_needs_rgb() -> None:
    with pytest.raises(UsageError, match="RGB"):
        decode(0.5, "hlg")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("dtype", "bit_depth"), [(np.uint8, 8), (np.uint16, 10), (np.uint16, 16)])
def test_integer_codes_decode_as_their_fractions(name: TransferName, dtype: type, bit_depth: int) -> None:
    codes = np.random.default_rng(1).integers(0, 2**bit_depth, (400, 301, 3)).astype(dtype)
    expected = decode(codes / (2**bit_depth - 1), name)
    result = decode_codes(codes, Encoding(transfer=name), bit_depth)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-12)


def test_codes_above_the_depth_count_as_the_top_code() -> None:
    codes = np.full((1, 1, 3), 60_000, np.uint16)
    assert decode_codes(codes, Encoding(), 10).max() == 1.0


@pytest.mark.parametrize("channels", [1, 3])
def test_tables_are_interpolated(channels: int) -> None:
    table = (np.linspace(0, 1, 64)[:, None] ** np.array([2.0, 2.4, 3.0])[:channels]).astype(np.float32)
    encoding = Encoding(transfer=None, table=table if channels == 3 else table[:, 0])
    codes = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    expected = (codes / 255) ** np.array([2.0, 2.4, 3.0])[:channels]
    np.testing.assert_allclose(decode_codes(codes, encoding, 8), expected, atol=2e-4)
    floats = (codes / 255).astype(np.float32)
    np.testing.assert_allclose(decode_codes(floats, encoding, 32), expected, atol=2e-4)


def test_an_encoding_without_curve_is_refused() -> None:
    with pytest.raises(UsageError, match="table"):
        decode_codes(np.zeros((1, 1, 3), np.uint8), Encoding(transfer=None), 8)
