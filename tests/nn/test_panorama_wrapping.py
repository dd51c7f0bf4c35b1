"""What wraps around does not know where its picture begins."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from latent_tiny import TINY
from torch import Tensor, nn

from headroom.nn.latent.prior import LatentPrior
from headroom.nn.wrapping import AroundTheBack, with_margins, without_margins


def columns(height: int, width: int) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(1, 1, 1), (3, 1, 1), (5, 1, 1), (3, 2, 1), (3, 1, 2)])
def test_a_convolution_is_the_one_of_a_picture_that_goes_on(kernel: int, stride: int, dilation: int) -> None:
    torch.manual_seed(0)
    padding = dilation * (kernel // 2)
    layer = nn.Conv2d(3, 4, kernel, stride, padding, dilation)
    x = columns(6, 8)
    with AroundTheBack():
        found = layer(x)
    going_on = layer(x.repeat(1, 1, 1, 3))
    width = found.shape[3]
    torch.testing.assert_close(found, going_on[..., width : 2 * width])


def test_a_denoiser_turns_with_its_panorama() -> None:
    torch.manual_seed(0)
    prior = LatentPrior.of(TINY).eval()
    noisy, timestep = torch.randn(1, 4, 8, 16), torch.tensor([500])
    context = torch.randn(1, 5, 12)

    @torch.inference_mode()
    def turned(by: int) -> Tensor:
        return prior.predict_noise(noisy.roll(by, 3), timestep, context).roll(-by, 3)

    with AroundTheBack():
        torch.testing.assert_close(turned(6), turned(0), atol=1e-5, rtol=1e-4)
    assert (turned(6) - turned(0)).abs().max() > 1e-3


@pytest.mark.parametrize("margin", [0, 1, 2, 7, 20])
@pytest.mark.parametrize("dim", [1, -1])
def test_margins_come_off_again(margin: int, dim: int) -> None:
    x = columns(5, 16)
    wide = with_margins(x, margin, dim)
    assert wide.shape[dim] == x.shape[dim] + 2 * margin
    torch.testing.assert_close(without_margins(wide, margin, dim), x)


def test_views_that_disagree_meet_without_a_step() -> None:
    # A network that paints a ramp over whatever it sees: cut off plainly, the ends are as far apart as can be.
    x = torch.zeros(1, 1, 1, 64)
    seen = torch.linspace(0, 1, 96).view(1, 1, 1, 96)
    found = without_margins(seen + with_margins(x, 16), 16)[0, 0, 0]
    steps = (found - found.roll(1)).abs()
    assert steps[0] <= steps.max() <= 0.1
    assert abs(float(seen[..., 16] - seen[..., 79])) > 0.6


def test_the_mode_ends() -> None:
    x, weight = columns(6, 8), torch.ones(1, 3, 3, 3)
    before = F.conv2d(x, weight, padding=(1, 1))
    with AroundTheBack():
        pass
    torch.testing.assert_close(F.conv2d(x, weight, padding=(1, 1)), before)
