"""The slides' objective in closed form, their optimiser, and the flips' group structure."""

import pytest
import torch

from headroom.errors import UsageError
from headroom.methods.hybrid_ae.losses import PaperLoss, clipped_alpha, random_flips, slides_optimiser
from headroom.nn.perceptual import LPIPS


@pytest.fixture(scope="module")
def lpips():
    torch.manual_seed(0)
    network = LPIPS()
    with torch.no_grad():
        for head in network.heads:
            head.weight.abs_()
    return network


def test_weights_default_to_the_slides(lpips):
    a, b = torch.rand(2, 3, 32, 32) * 2 - 1, torch.rand(2, 3, 32, 32) * 2 - 1
    expected = 2 * (a - b).abs().mean() + 3 * lpips(a, b).mean()
    torch.testing.assert_close(PaperLoss(lpips)(a, b), expected)
    released = PaperLoss(lpips, l1_weight=3, lpips_weight=2)(a, b)
    torch.testing.assert_close(released, 3 * (a - b).abs().mean() + 2 * lpips(a, b).mean())


def test_alpha_weights_the_absolute_error_only(lpips):
    a, b = torch.zeros(1, 3, 32, 32), torch.full((1, 3, 32, 32), 0.5)
    clipped = torch.zeros(1, 3, 32, 32)
    clipped[..., :8, :] = 1  # a quarter of the picture
    alpha = clipped_alpha(clipped, weight=5.0)
    difference = PaperLoss(lpips)(a, b, alpha) - PaperLoss(lpips)(a, b)
    torch.testing.assert_close(difference, torch.tensor(2 * 0.5 * 0.25 * 4), rtol=1e-4, atol=1e-5)
    assert torch.equal(clipped_alpha(clipped, weight=1.0), torch.ones_like(clipped))


def test_lpips_may_be_absent_only_at_weight_0():
    with pytest.raises(UsageError, match="weight 3 but no network"):
        PaperLoss(None)
    a, b = torch.zeros(1, 3, 8, 8), torch.full((1, 3, 8, 8), 0.5)
    assert PaperLoss(None, lpips_weight=0)(a, b) == 1.0


def test_loss_reaches_the_prediction(lpips):
    a = torch.zeros(1, 3, 32, 32, requires_grad=True)
    PaperLoss(lpips)(a, torch.rand(1, 3, 32, 32)).backward()
    assert torch.isfinite(a.grad).all()
    assert (a.grad != 0).any()


def test_optimiser_is_the_slides_and_skips_frozen_parameters():
    frozen = torch.nn.Parameter(torch.ones(1), requires_grad=False)
    free = torch.nn.Parameter(torch.ones(1))
    group = slides_optimiser([frozen, free]).param_groups[0]
    assert group["params"] == [free]
    assert (group["lr"], group["betas"], group["weight_decay"]) == (9e-4, (0.5, 0.999), 0)


def test_flips_are_the_same_for_all_pictures_and_of_all_four_kinds():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(400, 3, 4, 5)
    mask = x[:, :1] > 0.5
    flipped, flipped_mask = random_flips((x, mask), generator)
    assert torch.equal(flipped_mask, flipped[:, :1] > 0.5)
    kinds = [x, x.flip(-1), x.flip(-2), x.flip((-2, -1))]
    matches = torch.stack([(flipped == kind).flatten(1).all(1) for kind in kinds])
    assert (matches.sum(0) == 1).all()
    assert ((matches.sum(1) - 100).abs() < 45).all()  # five standard deviations of a fair draw


def test_flips_repeat_with_the_generator():
    x = torch.rand(8, 3, 4, 4)
    first, second = (random_flips((x,), torch.Generator().manual_seed(3))[0] for _ in range(2))
    assert torch.equal(first, second)
