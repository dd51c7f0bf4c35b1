"""Photos as networks see them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pictures import light_to_srgb, srgb_to_light

from headroom.image import Encoding, Photo, TransferName
from headroom.restore.reduce import full_input, network_codes, pad_input, reduced_input

CODES = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
CLIPPED = CODES > 200


def codes_of(photo: Photo) -> NDArray[np.uint8]:
    result = network_codes(photo, photo.encoding)
    assert result.dtype == np.uint8
    return result


@pytest.mark.parametrize("encoding", [Encoding(), Encoding("p3"), Encoding("adobe-rgb", "adobe-rgb")])
def test_8_bit_photos_in_a_usual_curve_pass_unchanged(encoding: Encoding) -> None:
    np.testing.assert_array_equal(codes_of(Photo(CODES, 8, encoding)), CODES)


@pytest.mark.parametrize("bit_depth", [10, 12, 16])
def test_deep_photos_are_rounded_to_8_bits(bit_depth: int) -> None:
    deep = np.random.default_rng(1).integers(0, 2**bit_depth, (300, 5, 3)).astype(np.uint16)
    exact = deep / (2**bit_depth - 1) * 255
    assert np.abs(codes_of(Photo(deep, bit_depth)) - exact).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("transfer", ["linear", "gamma18"])
def test_other_curves_become_srgb(transfer: TransferName) -> None:
    deep = np.arange(2**16, dtype=np.uint16).reshape(256, 256, 1).repeat(3, axis=2)
    light = (deep / 65535) ** {"linear": 1.0, "gamma18": 1.8}[transfer]
    found = codes_of(Photo(deep, 16, Encoding("bt709", transfer)))
    assert np.abs(found - 255 * light_to_srgb(light)).max() <= 0.5 + 1e-3
    assert (found[-1, -1], found[0, 0]) == pytest.approx((255, 0))


def test_tabulated_curves_become_srgb() -> None:
    table = np.linspace(0, 1, 1025, dtype=np.float32) ** 3
    floats = np.random.default_rng(2).random((20, 20, 3), dtype=np.float32)
    found = codes_of(Photo(floats, 32, Encoding("bt709", None, table)))
    assert np.abs(found - 255 * light_to_srgb(floats**3)).max() <= 0.5 + 0.1


@pytest.mark.parametrize("cell_px", [1, 2, 3, 8, 64])
def test_cells_are_means(cell_px: int) -> None:
    inputs = reduced_input(CODES, CLIPPED, cell_px)
    for row in range(-(-37 // cell_px)):
        for column in range(-(-53 // cell_px)):
            cell = np.s_[row * cell_px : (row + 1) * cell_px, column * cell_px : (column + 1) * cell_px]
            mean = CODES[cell].mean(axis=(0, 1)) / 255
            np.testing.assert_allclose(inputs.encoded[0, :, row, column], mean, atol=1.01 / 255)
            np.testing.assert_allclose(inputs.clipped[0, :, row, column], CLIPPED[cell].mean((0, 1)), atol=1.01 / 255)
            assert inputs.crushed is not None
            dark = (CODES[cell] < 8).mean((0, 1))
            np.testing.assert_allclose(inputs.crushed[0, :, row, column], dark, atol=1.01 / 255)
    assert inputs.encoded.shape == (1, 3, -(-37 // cell_px), -(-53 // cell_px))
    np.testing.assert_allclose(inputs.linear, srgb_to_light(inputs.encoded.numpy()), rtol=1e-5, atol=1e-7)


def test_cells_are_those_of_another_library() -> None:
    codes = CODES[:32, :48]
    reference = cv2.resize(codes, (12, 8), interpolation=cv2.INTER_AREA)
    found = reduced_input(codes, codes > 300, 4).encoded[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(found - reference).max() < 1.01


def test_full_resolution_is_exact() -> None:
    inputs = full_input(CODES, CLIPPED)
    encoded, _, clipped, crushed = (tensor[0].permute(1, 2, 0).numpy() for tensor in inputs if tensor is not None)
    np.testing.assert_array_equal(np.rint(encoded * 255), CODES)
    np.testing.assert_array_equal(clipped, CLIPPED)
    np.testing.assert_array_equal(crushed, CODES < 8)


@pytest.mark.parametrize(("multiple", "minimum", "size"), [(1, 1, (37, 53)), (32, 32, (64, 64)), (16, 100, (112, 112))])
def test_padding_repeats_the_border(multiple: int, minimum: int, size: tuple[int, int]) -> None:
    inputs = full_input(CODES, CLIPPED)
    for padded, tensor in zip(pad_input(inputs, multiple, minimum), inputs, strict=True):
        assert padded is not None
        assert tensor is not None
        assert padded.shape[2:] == size
        rows, columns = (torch.arange(length).clamp(max=last) for length, last in zip(size, (36, 52), strict=True))
        assert torch.equal(padded, tensor[:, :, rows][:, :, :, columns])
