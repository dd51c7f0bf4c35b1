"""Made-up gains that agree with what is measured beside them."""

from __future__ import annotations

import torch

from headroom.methods.lediff.continuing import continued

SIDE = 128


def test_nothing_measured_changes_nothing() -> None:
    gain = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(continued(gain, torch.zeros_like(gain)), gain)


def test_a_right_gain_stays() -> None:
    clipped = torch.zeros(1, 3, SIDE, SIDE)
    clipped[..., 40:90, 30:100] = 1
    gain = 3 * clipped  # 0 where the photo tells, as it should be
    assert torch.equal(continued(gain, 1 - clipped), gain)


def test_far_inside_the_gain_is_its_own_and_at_the_border_it_is_that_of_the_photo() -> None:
    clipped = torch.zeros(1, 3, SIDE, SIDE)
    clipped[..., 64:] = 1
    gain = 1.0 + torch.arange(SIDE) / SIDE * clipped  # one stop too bright everywhere
    found = continued(gain, 1 - clipped)
    torch.testing.assert_close(found[..., 80:], gain[..., 80:])
    corrected = (gain - found)[0, 0, 64]
    assert corrected[64] > 0.2
    assert (corrected[64:].diff() <= 1e-6).all()  # less and less of it


def test_a_channel_beside_measured_ones_takes_no_colour_of_its_own() -> None:
    # The top of a column: red and green clip, blue just does not, and was made up two stops too bright.
    gain = torch.full((1, 3, SIDE, SIDE), 2.0)
    measured = torch.zeros(1, 3, SIDE, SIDE)
    measured[:, 2, :64] = 1
    found = continued(gain, measured)
    assert (found[:, :2, :60] < 0.7).all()
    assert (found[:, :2, 80:] == 2).all()
