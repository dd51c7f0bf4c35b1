from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headroom.image import Photo
from headroom.restore.clipping import clipped_codes, recovery_weight


def test_only_top_codes_of_a_lossless_photo_are_clipped() -> None:
    generator = np.random.default_rng(0)
    for bit_depth in (8, 10, 12, 16):
        codes = generator.integers(2**bit_depth - 4, 2**bit_depth, (20, 30, 3)).astype(np.uint16)
        clipped = clipped_codes(Photo(codes, bit_depth))
        np.testing.assert_array_equal(clipped, codes == 2**bit_depth - 1)
    floats = np.array([0, 0.5, np.nextafter(np.float32(1), np.float32(0)), 1], np.float32)
    codes = np.repeat(floats.reshape(2, 2, 1), 3, axis=2)
    assert (clipped_codes(Photo(codes, 32)).sum(axis=(0, 1)) == 1).all()


@settings(max_examples=30, deadline=None)
@given(
    height=st.sampled_from([8, 16, 40, 56]),
    width=st.sampled_from([8, 24, 48, 64]),
    row=st.integers(0, 59),
    column=st.integers(0, 59),
    step=st.floats(0.1, 6),
)
def test_compression_blurs_the_line_only_near_top_codes(
    height: int, width: int, row: int, column: int, step: float
) -> None:
    row, column = min(row, height - 1), min(column, width - 1)
    lowest = 255 - max(5, int(np.ceil(step)))
    for code, counts in ((lowest, True), (lowest - 1, False)):
        codes = np.full((height, width, 3), 100, np.uint8)
        bright = np.zeros((height, width), bool)
        bright[::8, ::8] = True  # too few in every block to be a burnt-out area
        codes[bright] = code
        codes[row, column, 1] = 255
        clipped = clipped_codes(Photo(codes, 8, lossy_step=step))
        assert clipped[row, column].tolist() == [False, True, False]
        rows, columns = np.mgrid[:height, :width]
        near = (abs(rows // 8 - row // 8) <= 1) & (abs(columns // 8 - column // 8) <= 1)
        expected = near & bright & counts | (rows == row) & (columns == column)
        np.testing.assert_array_equal(clipped[..., 1], expected)


@pytest.mark.parametrize(("code", "counts"), [(254, True), (250, True), (249, False)])
def test_a_burnt_out_area_may_lie_below_the_top(code: int, counts: bool) -> None:
    codes = np.full((64, 64, 3), 100, np.uint8)
    codes[16:40, 8:48] = code
    burnt_out = (codes == code) & counts
    np.testing.assert_array_equal(clipped_codes(Photo(codes, 8, lossy_step=1.3)), burnt_out)
    assert not clipped_codes(Photo(codes, 8)).any()  # a lossless file says what it means


@pytest.mark.parametrize("quality", [60, 80, 95])
def test_what_a_real_encoder_pushed_off_the_top_counts_as_clipped(quality: int) -> None:
    rows, columns = np.mgrid[:160, :160]
    light = 1.6 - 0.004 * np.hypot(rows - 80, columns - 60) - 0.02 * np.sin(columns / 5)
    original = np.rint(255 * np.clip(light, 0, 1)).astype(np.uint8)[..., None].repeat(3, axis=2)
    original[100:, :] = 90  # a hard edge, where compression rings most
    stream = io.BytesIO()
    Image.fromarray(original).save(stream, "JPEG", quality=quality)
    codes = np.asarray(Image.open(stream))
    loss = float(np.abs(codes.astype(int) - original)[original == 255].max())
    clipped = clipped_codes(Photo(codes, 8, lossy_step=loss))
    assert clipped[original == 255].mean() > 0.99
    assert not clipped[original < 255 - 2 * loss].any()


@pytest.mark.parametrize(("side", "rim_px"), [(100, 1), (3000, 2), (6000, 4)])
def test_the_weight_rises_over_a_rim(side: int, rim_px: int) -> None:
    clipped = np.zeros((40, side, 3), bool)
    clipped[:, side // 2 :] = True
    row = recovery_weight(clipped)[20, :, 0].astype(int)
    assert not row[: side // 2].any()
    rim = row[side // 2 : side // 2 + rim_px + 1]
    # A box that is centred on the first clipped column holds r + 1 clipped columns of 2 r + 1.
    assert rim[0] == pytest.approx(255 * (rim_px + 1) / (2 * rim_px + 1) * 1.25, abs=2)
    assert (np.diff(rim) >= 0).all()
    assert (row[side // 2 + rim_px :] == 255).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), height=st.integers(1, 40), width=st.integers(1, 40), share=st.floats(0, 1))
def test_the_weight_is_zero_exactly_where_measured(seed: int, height: int, width: int, share: float) -> None:
    clipped = np.random.default_rng(seed).random((height, width, 3)) < share
    weight = recovery_weight(clipped)
    np.testing.assert_array_equal(weight > 0, clipped)
    if share == 1:
        assert (weight == 255).all()
