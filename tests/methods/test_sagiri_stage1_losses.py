"""The first stage's losses in closed form, and a histogram that learns."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from headroom.methods.sagiri.stage1_losses import (
    colour_distribution_loss,
    colour_reconstruction_losses,
    frequency_loss,
    soft_histogram,
)


@pytest.mark.parametrize("bandwidth", [1.0, 0.3, 1e-6])
def test_shares_sum_to_1_for_values_anywhere(bandwidth: float) -> None:
    x = torch.randn(2, 3, 5000, generator=torch.Generator().manual_seed(0))
    histogram = soft_histogram(x, bins=16, bandwidth=bandwidth)
    assert histogram.shape == (2, 3, 16)
    assert histogram.min() >= 0
    torch.testing.assert_close(histogram.sum(-1), torch.ones(2, 3))


def test_a_narrow_smear_is_numpys_histogram() -> None:
    x = torch.rand(3, 20_000, generator=torch.Generator().manual_seed(0))
    found = soft_histogram(x, bins=64, bandwidth=1e-6)
    for values, histogram in zip(x, found, strict=True):
        counts, _ = np.histogram(values.numpy(), bins=64, range=(0, 1))
        np.testing.assert_allclose(histogram * 20_000, counts, atol=0.01)


def test_a_smear_of_one_bin_weights_by_the_distance_to_the_centres() -> None:
    x = 0.1 + 0.8 * torch.rand(500, generator=torch.Generator().manual_seed(0))
    centres = (torch.arange(16) + 0.5) / 16
    triangles = (1 - 16 * (x[:, None] - centres).abs()).clamp(min=0)
    torch.testing.assert_close(soft_histogram(x, bins=16), triangles.mean(0))


def test_the_gradient_is_that_of_the_counts() -> None:
    x = 0.1 + 0.8 * torch.rand(40, dtype=torch.float32, generator=torch.Generator().manual_seed(0))
    weights = torch.randn(16, generator=torch.Generator().manual_seed(1))
    leaf = x.clone().requires_grad_()
    (soft_histogram(leaf, bins=16) * weights).sum().backward()
    # A value between two centres moves its weight from the one to the other, at 16 / 40 a unit.
    lower = (x * 16 - 0.5).floor().long()
    torch.testing.assert_close(leaf.grad, (weights[lower + 1] - weights[lower]) * 16 / 40)


def test_no_common_colour_is_2_and_the_order_of_pixels_is_nothing() -> None:
    dark, bright = torch.full((2, 3, 8, 8), 0.2), torch.full((2, 3, 8, 8), 0.8)
    assert colour_distribution_loss(dark, bright).item() == pytest.approx(2)
    picture = torch.rand(2, 3, 8, 8)
    assert colour_distribution_loss(picture, picture.flip(2, 3)).item() == pytest.approx(0, abs=1e-6)
    swapped = picture.flip(0)
    assert colour_distribution_loss(picture, swapped).item() > 0.5  # each image has a histogram of its own


def test_the_colour_term_alone_moves_a_picture_to_the_colours_of_another() -> None:
    generator = torch.Generator().manual_seed(0)
    picture = (0.3 + 0.3 * torch.rand(1, 3, 32, 32, generator=generator)).requires_grad_()
    target = 0.35 + 0.3 * torch.rand(1, 3, 32, 32, generator=generator)
    optimiser = torch.optim.Adam([picture], lr=0.005)
    losses = []
    for _ in range(40):
        loss = colour_distribution_loss(picture, target, bins=16)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_frequencies_of_a_constant_a_point_and_a_wave() -> None:
    zero = torch.zeros(2, 3, 8, 16)
    assert frequency_loss(zero + 0.3, zero).item() == pytest.approx(0.3)
    point = zero.clone()
    point[:, :, 3, 5] = 0.3
    assert frequency_loss(point, zero).item() == pytest.approx(0.3)
    wave = 0.3 * torch.cos(2 * math.pi * 3 * torch.arange(16) / 16).expand_as(zero)
    assert frequency_loss(wave, zero).item() == pytest.approx(0.3)  # two coefficients of half a constant's
    noise = 0.3 * torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    # The modulus of a complex Gaussian has the mean sqrt(pi) / 2 of its root mean square.
    assert frequency_loss(noise, torch.zeros_like(noise)).item() == pytest.approx(
        0.3 * 256 * math.sqrt(math.pi) / 2, rel=0.01
    )


def test_the_total_has_the_papers_weights() -> None:
    a, b = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    losses = colour_reconstruction_losses(a, b)
    expected = 10 * colour_distribution_loss(a, b) + frequency_loss(a, b) + 0.1 * F.mse_loss(a, b)
    torch.testing.assert_close(losses["total"], expected)
    assert set(losses) == {"colour", "frequency", "pixels", "total"}


@pytest.mark.parametrize("name", ["colour", "frequency", "pixels", "total"])
def test_every_term_reaches_every_image_and_channel(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    prediction = torch.rand(2, 3, 16, 16, generator=generator).requires_grad_()
    colour_reconstruction_losses(prediction, torch.rand(2, 3, 16, 16, generator=generator) ** 2)[name].backward()
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()
    assert (prediction.grad != 0).flatten(2).any(-1).all()


def test_equal_pictures_lose_nothing_and_have_a_finite_gradient() -> None:
    prediction = torch.rand(1, 3, 16, 16).requires_grad_()
    losses = colour_reconstruction_losses(prediction, prediction.detach().clone())
    losses["total"].backward()
    assert losses["total"].item() == pytest.approx(0, abs=1e-6)
    assert prediction.grad is not None
    assert prediction.grad.isfinite().all()
