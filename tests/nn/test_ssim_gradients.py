"""SSIM with gradients, against the scorer's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from headroom.metrics.ssim import ssim_map
from headroom.nn.ssim import ssim


def pictures(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("value_range", "channels"), [(1.0, 3), (2.0, 4)])
def test_it_is_the_scorers_mean(value_range: float, channels: int) -> None:
    one = pictures(0, 2, channels, 24, 31)
    other = (one + 0.2 * pictures(1, 2, channels, 24, 31)).clamp(0, 1)
    expected = [
        ssim_map(*(x[i].permute(1, 2, 0).double().numpy()[..., :3] for x in (one, other)), value_range, border="inside")
        for i in range(2)
    ]
    found = ssim(one[:, :3], other[:, :3], value_range)
    torch.testing.assert_close(found, torch.tensor([e.mean() for e in expected]).float(), atol=1e-5, rtol=0)


def test_it_is_one_for_equal_pictures_and_rises_along_its_gradient() -> None:
    truth = pictures(0, 1, 3, 16, 16)
    torch.testing.assert_close(ssim(truth, truth), torch.ones(1))
    guess = pictures(1, 1, 3, 16, 16).requires_grad_()
    before = ssim(guess, truth).sum()
    (gradient,) = torch.autograd.grad(before, guess)
    assert ssim(guess + 0.1 * gradient / gradient.norm(), truth) > before
