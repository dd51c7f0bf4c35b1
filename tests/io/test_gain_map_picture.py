"""The quality of a gain map's JPEG: the lowest that its content bears, as Pillow's own decoder sees it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from headroom.image import GainMap
from headroom.io.gain_map_picture import encode_picture

SIDE = 256


def slope() -> NDArray[np.float64]:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    return np.stack([np.sin(3 * x + i) * np.cos(2 * y + i) for i in range(3)], axis=-1) / 2 + 0.5


def texture() -> NDArray[np.float64]:
    return np.random.default_rng(5).normal(0.5, 0.1, (SIDE, SIDE, 3)).clip(0, 1)


def lamps() -> NDArray[np.float64]:
    draw, share = np.random.default_rng(2), np.zeros((SIDE, SIDE, 3))
    y, x = np.mgrid[:SIDE, :SIDE]
    for _ in range(30):
        inside = np.hypot(y - draw.integers(SIDE), x - draw.integers(SIDE)) < draw.integers(2, 9)
        share[inside] = draw.uniform(0.3, 1, 3)
    return share


def gain_map(share: NDArray[np.float64], stops: float) -> GainMap:
    return GainMap(np.rint(share * 255).astype(np.uint8), maximum=(stops,) * 3, alternate_headroom=stops)


def pillow_jpeg(codes: NDArray[np.uint8], quality: int) -> bytes:
    stream = BytesIO()
    Image.fromarray(codes).save(stream, "JPEG", quality=quality, subsampling=0)
    return stream.getvalue()


def quality_of(jpeg: bytes) -> int:
    luma = JpegImageFile(BytesIO(jpeg)).quantization[0]
    flat = np.zeros((8, 8, 3), np.uint8)
    return next(q for q in range(1, 101) if JpegImageFile(BytesIO(pillow_jpeg(flat, q))).quantization[0] == luma)


def error_stops(jpeg: bytes, wanted: GainMap) -> float:
    """Return what 99.9 % of the errors stay below in blocks that hold anything."""
    change = np.abs(np.asarray(Image.open(BytesIO(jpeg))).astype(int) - wanted.codes)
    blocks = wanted.codes.reshape(SIDE // 8, 8, SIDE // 8, 8, -1)
    varies = np.ptp(blocks, axis=(1, 3)).any(axis=-1)
    inside = np.kron(varies, np.ones((8, 8), bool))
    return float(np.quantile(change[inside], 0.999) * wanted.maximum[0] / 255)


@pytest.mark.parametrize(("picture", "stops"), [(texture, 2.0), (texture, 1.6), (lamps, 1.2), (lamps, 1.7)])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_lowest_that_keeps_a_tenth_of_a_stop(picture, stops: float, channels: int) -> None:
    share = picture() if channels == 3 else picture()[..., 0]
    wanted = gain_map(share, stops)
    jpeg = encode_picture(wanted)
    quality = quality_of(jpeg)
    assert 80 < quality < 97
    assert error_stops(jpeg, wanted) < 0.11
    assert error_stops(pillow_jpeg(wanted.codes, quality - 4), wanted) > 0.1


def test_slopes_need_little_and_edges_of_many_stops_all_there_is() -> None:
    assert quality_of(encode_picture(gain_map(slope(), 3.0))) == 80
    assert quality_of(encode_picture(gain_map(lamps(), 8.0))) == 97


def test_each_channel_counts_by_its_own_range() -> None:
    codes = gain_map(lamps(), 1.0).codes
    narrow, one_wide = GainMap(codes, maximum=(0.2,) * 3), GainMap(codes, maximum=(0.2, 0.2, 6.0))
    assert quality_of(encode_picture(narrow)) == 80
    assert quality_of(encode_picture(one_wide)) == 97


def test_empty_parts_cost_little() -> None:
    share = np.zeros((SIDE, SIDE, 3))
    share[100:116, 100:116] = 0.7
    wanted = gain_map(share, 3.0)
    jpeg = encode_picture(wanted)
    assert len(jpeg) < 0.7 * len(pillow_jpeg(wanted.codes, quality_of(jpeg)))


@pytest.mark.parametrize("shape", [(1, 1), (7, 30, 3), (8, 8), (9, 8, 3), (17, 40)])
def test_any_size_is_encoded(shape: tuple[int, ...]) -> None:
    codes = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    assert np.asarray(Image.open(BytesIO(encode_picture(GainMap(codes))))).shape == shape
    decoded = np.asarray(Image.open(BytesIO(encode_picture(GainMap(np.zeros_like(codes))))))
    assert not decoded.any()
