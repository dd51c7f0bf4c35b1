from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from headroom.nn.gain import upsample_gain


@pytest.mark.parametrize("size", [(5, 7), (40, 56), (13, 9), (1, 1)])
def test_a_constant_stays_a_constant(size: tuple[int, int]) -> None:
    share = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    upsampled = upsample_gain(torch.full((2, 3, 5, 7), 2.5), share, size)
    assert upsampled.shape == (2, 3, *size)
    torch.testing.assert_close(upsampled, torch.full((2, 3, *size), 2.5))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_equal_shares_interpolate_bilinearly(share: float) -> None:
    gain = torch.rand(1, 3, 6, 4, generator=torch.Generator().manual_seed(1))
    expected = F.interpolate(gain, size=(24, 32), mode="bilinear", align_corners=False)
    torch.testing.assert_close(upsample_gain(gain, torch.full_like(gain, share), (24, 32)), expected)


def test_a_lamp_is_not_diluted_by_its_dark_neighbours() -> None:
    gain, share = torch.zeros(1, 3, 9, 9), torch.zeros(1, 3, 9, 9)
    gain[:, :, 4, 4], share[:, :, 4, 4] = 8.0, 1.0
    lamp = upsample_gain(gain, share, (72, 72))[0, 0, 32:40, 32:40]
    diluted = F.interpolate(gain, size=(72, 72), mode="bilinear", align_corners=False)[0, 0, 32:40, 32:40]
    assert lamp.min() > 0.98 * 8
    assert diluted.min() < 0.4 * 8


def test_values_stay_between_those_of_the_cells() -> None:
    generator = torch.Generator().manual_seed(2)
    gain, share = torch.rand(2, 4, 3, 11, 13, generator=generator)
    upsampled = upsample_gain(gain, share.round(), (50, 70))
    assert gain.min() - 1e-5 <= upsampled.min() <= upsampled.max() <= gain.max() + 1e-5
