"""Blur along random lines: what it may touch, and how much."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from headroom.data.enhancement_lines import COARSE, Blurred, LineSettings, blur_along_lines

KINDS = [LineSettings(), COARSE]


def noise(count: int, height: int, width: int) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))


def blurred(pictures: Tensor, settings: LineSettings, seed: int = 0) -> Blurred:
    return blur_along_lines(pictures, settings, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("settings", KINDS)
def test_only_what_the_mask_marks_is_changed(settings: LineSettings) -> None:
    pictures = noise(3, 128, 192)
    result, mask = blurred(pictures, settings)
    assert result.shape == pictures.shape and mask.shape == (3, 1, 128, 192)
    assert set(mask.flatten().tolist()) == {0.0, 1.0}
    untouched = (mask == 0).expand_as(pictures)
    assert torch.equal(result[untouched], pictures[untouched])
    assert result.min() >= 0 and result.max() <= 1


def test_the_middle_of_a_line_is_the_blurred_picture() -> None:
    pictures = noise(1, 512, 512)
    result, mask = blurred(pictures, replace(COARSE, lines=(1, 1)))
    image = pictures[0].permute(1, 2, 0).numpy()
    expected = cv2.GaussianBlur(image, (161, 161), 20)  # as far as four sigma
    # A line is soft from 10 px outside its border to 10 px inside.
    inside = cv2.erode(mask[0, 0].numpy(), np.ones((41, 41)), borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    assert inside.sum() > 1000
    np.testing.assert_allclose(result[0].permute(1, 2, 0).numpy()[inside], expected[inside], atol=3e-3)


@pytest.mark.parametrize("settings", KINDS)
def test_lines_scale_with_the_picture(settings: LineSettings) -> None:
    large, small = (blurred(torch.zeros(6, 3, side, side), settings).mask.mean((1, 2, 3)) for side in (512, 128))
    # A pixel counts that a line only touches.
    assert (small >= large - 1e-3).all() and (small <= 1.25 * large + 0.01).all()


def test_the_coarse_kind_hides_more() -> None:
    fine, coarse = (blurred(torch.zeros(12, 3, 64, 64), kind).mask.mean() for kind in KINDS)
    assert 0.02 < fine < 0.75 * coarse < 0.5


def test_pictures_are_drawn_one_after_the_other() -> None:
    pictures = noise(4, 64, 64)
    generator = torch.Generator().manual_seed(7)
    parts = [blur_along_lines(part, COARSE, generator) for part in pictures.split(2)]
    for whole, halves in zip(blurred(pictures, COARSE, 7), zip(*parts, strict=True), strict=True):
        assert torch.equal(whole, torch.cat(halves))
    assert not torch.equal(blurred(pictures, COARSE, 8).mask, blurred(pictures, COARSE, 7).mask)


def test_a_flat_picture_stays_flat() -> None:
    flat = torch.full((1, 3, 64, 96), 0.375)
    torch.testing.assert_close(blurred(flat, COARSE).pictures, flat)
