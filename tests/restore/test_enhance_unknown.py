"""What counts as unknown, colour by colour."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headroom.errors import InputError
from headroom.image import Photo
from headroom.restore.unknown import drawn_unknown, find_unknown, unknown_region


def unknown(rgb: tuple[int, int, int], **options: float) -> bool:
    return bool(unknown_region(torch.tensor(rgb).view(1, 3, 1, 1) / 255, **options))


@pytest.mark.parametrize("rgb", [(255, 255, 255), (250, 250, 250), (255, 250, 253), (0, 0, 0), (5, 5, 5), (0, 5, 3)])
def test_blown_and_crushed_pixels_are_unknown(rgb: tuple[int, int, int]) -> None:
    assert unknown(rgb)


@pytest.mark.parametrize(
    "rgb", [(249, 255, 255), (6, 0, 0), (255, 0, 0), (255, 180, 255), (128, 128, 128), (0, 0, 255), (0, 255, 255)]
)
def test_a_pixel_is_known_by_any_channel(rgb: tuple[int, int, int]) -> None:
    assert not unknown(rgb)


def test_the_codes_can_be_those_of_the_paper() -> None:
    paper = {"blown": 1.0, "crushed": 0.0}
    assert unknown((255, 255, 255), **paper) and unknown((0, 0, 0), **paper)
    assert not unknown((254, 255, 255), **paper) and not unknown((0, 1, 0), **paper)


def test_the_region_has_one_channel() -> None:
    codes = torch.full((2, 3, 4, 5), 0.5)
    codes[1, :, 2, 3] = 1
    region = unknown_region(codes)
    assert region.shape == (2, 1, 4, 5) and region.sum() == 1 and region[1, 0, 2, 3] == 1


def test_specks_of_a_photo_are_left_alone_and_regions_reach_a_little_further() -> None:
    codes = np.full((400, 600, 3), 100, np.uint8)
    codes[100:160, 200:300] = 255
    codes[300:310, 400:410] = 2
    codes[50, 50] = codes[350, 20:30] = 255  # a speck and a scratch
    found = find_unknown(Photo(codes, 8))
    blown, crushed = np.zeros((2, 400, 600), bool)
    blown[100:160, 200:300] = crushed[300:310, 400:410] = True
    assert (found[blown | crushed] == 1).all()
    assert not found[:90].any() and not found[330:].any()
    extra = (found == 1) & ~blown & ~crushed
    assert 0 < extra.sum() < 2 * (60 + 100) * 4 + 600


@pytest.mark.parametrize("bit_depth", [8, 10, 12, 16])
def test_depth_does_not_matter(bit_depth: int) -> None:
    codes = np.full((40, 40, 3), 0.5)
    codes[10:30, 5:25] = 1
    deep = np.rint(codes * (2**bit_depth - 1)).astype(np.uint8 if bit_depth == 8 else np.uint16)
    expected = find_unknown(Photo(np.rint(codes * 255).astype(np.uint8), 8))
    np.testing.assert_array_equal(find_unknown(Photo(deep, bit_depth)), expected)


PHOTO = Photo(np.zeros((40, 60, 3), np.uint8), 8)


@pytest.mark.parametrize("scale", [1, 2, 5])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.bool_])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_a_drawn_mask_is_fitted(scale: int, kind: type, channels: tuple[int, ...]) -> None:
    white = {np.uint8: 255, np.uint16: 65_535}.get(kind, 1)
    drawn = np.zeros((40 // scale, 60 // scale, *channels), kind)
    drawn[: 20 // scale, 30 // scale :] = white
    expected = np.zeros((40, 60), np.uint8)
    expected[:20, 30:] = 1
    np.testing.assert_array_equal(drawn_unknown(drawn, PHOTO), expected)


def test_a_mask_may_be_larger_than_the_photo() -> None:
    assert drawn_unknown(np.full((4000, 6000), 255, np.uint8), PHOTO).all()
    assert drawn_unknown(np.full((14, 20), 255, np.uint8), PHOTO).all()  # 13.3 rows, rounded up


@pytest.mark.parametrize(
    ("drawn", "problem"),
    [
        (np.full((60, 40), 255, np.uint8), "40 x 60 pixels: does not fit a photo of 60 x 40"),
        (np.full((40, 63), 255, np.uint8), "does not fit"),
        (np.zeros((40, 60), np.uint8), "black everywhere"),
        (np.full((40, 60, 3), 127, np.uint8), "black everywhere"),
        (np.zeros((40, 60), np.int32), "type int32"),
        (np.zeros((0, 0), np.uint8), "shape"),
        (np.zeros(7, np.uint8), "shape"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(drawn: np.ndarray, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        drawn_unknown(drawn, PHOTO)
