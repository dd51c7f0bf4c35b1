"""What counts as unknown, colour by colour."""

from __future__ import annotations

import pytest
import torch

from headroom.restore.unknown import unknown_region


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
