from __future__ import annotations

import torch

from headroom.methods.lediff.anchoring import anchored


def ramp() -> torch.Tensor:
    return torch.linspace(0, 3, 64).expand(1, 3, 64, 64)


def texture() -> torch.Tensor:
    """Give rows of +1 and -1 in turn, of which every cell has as many."""
    return torch.tensor([1.0, -1.0]).repeat(32)[:, None].expand(1, 3, 64, 64)


def everywhere() -> torch.Tensor:
    return torch.ones(1, 3, 64, 64)


def test_what_is_coarse_becomes_what_is_expected_and_detail_stays() -> None:
    found = anchored(texture() - 2, ramp(), everywhere())
    torch.testing.assert_close(found - texture(), ramp(), atol=0.1, rtol=0)


def test_a_gain_of_the_expected_brightness_does_not_change() -> None:
    torch.testing.assert_close(anchored(ramp(), ramp(), everywhere()), ramp())


def test_colours_are_those_that_are_expected() -> None:
    drawn = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    expected = ramp() * torch.tensor([1.0, 0.5, 0.2]).view(3, 1, 1)
    found = anchored(drawn, expected, everywhere())
    torch.testing.assert_close(found - found.mean(1, keepdim=True), expected - expected.mean(1, keepdim=True))


def test_what_nobody_asks_for_tells_nothing() -> None:
    share = everywhere()
    share[..., 32:] = 0
    wrong = torch.where(share > 0, 1.0, 100.0)
    found = anchored(torch.zeros_like(wrong), wrong, share)
    torch.testing.assert_close(found[..., :32], torch.ones(1, 3, 64, 32))
    assert found.isfinite().all()


def test_a_measured_channel_keeps_detail_out_of_the_others() -> None:
    share = everywhere()
    share[:, 1, :32] = 0
    found = anchored(texture(), ramp(), share)
    torch.testing.assert_close(found[:, :, :32], ramp()[:, :, :32])
    assert (found - ramp())[:, :, 32:].abs().min() > 0.5
