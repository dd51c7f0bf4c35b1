"""Detail is as strong as the photo's own, octave by octave."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from headroom.methods.lediff.matching import BANDS, strengthened, strengths

SHAPE = (1, 1, 96, 133)
BRIGHT = torch.full((1, 3, *SHAPE[2:]), 0.7)


def noise(seed: int = 0) -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def stripes(period_px: int) -> torch.Tensor:
    x = torch.arange(SHAPE[3])
    return torch.cos(2 * torch.pi * x / period_px).expand(SHAPE)


def blurred(x: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def test_detail_as_strong_as_it_was_stays() -> None:
    torch.testing.assert_close(strengthened(noise(), torch.ones(1, BANDS)), noise())
    found = strengths(noise(), noise(), BRIGHT, is_reduced=True)
    torch.testing.assert_close(found, torch.ones(1, BANDS), atol=1e-4, rtol=0)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_detail_that_came_out_weaker_or_stronger_is_measured(factor: float) -> None:
    found = strengths(noise() * factor, noise(), BRIGHT, is_reduced=True)
    torch.testing.assert_close(found, torch.full((1, BANDS), factor), atol=1e-3, rtol=0)


def test_a_blur_costs_the_finest_octave_most_and_strength_gives_it_back() -> None:
    found = strengths(noise(), blurred(noise()), BRIGHT, is_reduced=True)[0]
    assert found[0] > found[1] > found[2] > 1
    matched = strengthened(blurred(noise(1)), found[None])
    assert float(matched.std()) == pytest.approx(float(noise(1).std()), rel=0.1)


def test_an_octave_is_made_stronger_alone() -> None:
    fine, coarse = stripes(3), stripes(64)
    change = strengthened(fine + coarse, torch.tensor([[3.0, 1, 1]])) - fine - coarse
    assert float((change * fine).mean() / fine.square().mean()) > 1
    assert abs(float((change * coarse).mean() / coarse.square().mean())) < 0.02


def test_the_finest_octave_of_whole_pixels_is_not_made_stronger() -> None:
    reduced, whole = (strengths(noise() * 3, noise(), BRIGHT, is_reduced=flag)[0] for flag in (True, False))
    assert whole[0] == 1
    assert reduced[0] > 2
    torch.testing.assert_close(whole[1:], reduced[1:])


def test_only_what_is_bright_and_not_clipped_tells() -> None:
    codes = BRIGHT.clone()
    codes[..., :40], codes[..., 100:] = 0.1, 1.0
    told = torch.zeros(SHAPE)
    told[..., 42:98] = 1
    seen = noise() * torch.where(told > 0, 2.0, 3.9)
    assert float(strengths(seen, noise(), codes, is_reduced=True)[0, 0]) == pytest.approx(2, abs=0.01)


def test_a_photo_without_bright_detail_and_a_flat_one_have_limits() -> None:
    assert torch.equal(strengths(noise() * 9, noise(), BRIGHT * 0.1, is_reduced=True), torch.ones(1, BANDS))
    assert strengths(noise(), torch.zeros(SHAPE), BRIGHT, is_reduced=True).max() == 4
    assert strengths(torch.zeros(SHAPE), noise(), BRIGHT, is_reduced=True).min() == 0.25
