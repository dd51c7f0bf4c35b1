from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from headroom.methods.sagiri.refiner import Trial
from headroom.methods.sagiri.stage2_losses import content_reconstruction_losses
from headroom.nn.latent.schedule import noised, signal_shares

SIDE = 16


def trial(error: float = 0.3) -> tuple[Trial, Tensor]:
    """An estimate that errs, and the clean latents."""
    clean, noise, mistake = torch.randn(3, 2, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).unbind(0)
    timestep = torch.tensor([100, 500])
    unknown = torch.zeros(2, 1, SIDE, SIDE)
    unknown[..., 4:] = 1
    share = signal_shares().float()[timestep].view(-1, 1, 1, 1)
    return Trial(noised(clean, noise, timestep), noise, noise + error * mistake, share, unknown), clean


def structure(one: Tensor, other: Tensor) -> float:
    """1 - SSIM by OpenCV, over whole windows of 11 x 11, of values with a range of 2."""

    def blurred(x: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        return cv2.GaussianBlur(x, (11, 11), 1.5)[5:-5, 5:-5]

    found = []
    for a, b in zip(one.double().flatten(0, 1).numpy(), other.double().flatten(0, 1).numpy(), strict=True):
        mean_a, mean_b = blurred(a), blurred(b)
        variances = blurred(a * a) - mean_a**2 + blurred(b * b) - mean_b**2
        covariance = blurred(a * b) - mean_a * mean_b
        top = (2 * mean_a * mean_b + 0.02**2) * (2 * covariance + 0.06**2)
        found.append((top / ((mean_a**2 + mean_b**2 + 0.02**2) * (variances + 0.06**2))).mean())
    return 1 - float(np.mean(found))


def test_terms_compare_the_noise() -> None:
    given, _ = trial()
    terms = content_reconstruction_losses(given, structure_of="noise", masked=False)
    error = (given.estimate - given.noise).numpy()
    assert float(terms["noise"]) == pytest.approx((error**2).mean(), rel=1e-5)
    assert float(terms["frequency"]) == pytest.approx(np.abs(np.fft.fft2(error)).mean(), rel=1e-5)
    assert float(terms["structure"]) == pytest.approx(structure(given.estimate, given.noise), rel=1e-3)


def test_the_structure_may_be_that_of_the_latents() -> None:
    given, clean = trial()
    terms = content_reconstruction_losses(given, structure_of="latents", masked=False)
    # What is found of the latents errs by what is wrong with the noise, over the ratio of signal to noise.
    found = clean - ((1 - given.share) / given.share).sqrt() * (given.estimate - given.noise)
    assert float(terms["structure"]) == pytest.approx(structure(found, clean), rel=1e-3)


@pytest.mark.parametrize("structure_of", ["noise", "latents"])
def test_a_right_estimate_costs_nothing(structure_of) -> None:  # type: ignore[no-untyped-def]
    given, _ = trial(error=0.0)
    terms = content_reconstruction_losses(given, structure_of=structure_of, masked=False)
    torch.testing.assert_close(torch.stack(list(terms.values())), torch.zeros(3), atol=1e-4, rtol=0)


@pytest.mark.parametrize("structure_of", ["noise", "latents"])
def test_with_a_mask_known_latents_teach_nothing(structure_of) -> None:  # type: ignore[no-untyped-def]
    given, _ = trial()
    estimate = given.estimate.clone().requires_grad_()
    terms = content_reconstruction_losses(given._replace(estimate=estimate), structure_of=structure_of, masked=True)
    sum(terms.values(), torch.zeros(())).backward()
    assert estimate.grad is not None
    assert not estimate.grad[..., :4].any()
    assert estimate.grad[..., 4:].all()
    everything = content_reconstruction_losses(
        given._replace(unknown=torch.ones_like(given.unknown)), structure_of=structure_of, masked=True
    )
    unmasked = content_reconstruction_losses(given, structure_of=structure_of, masked=False)
    assert everything == unmasked
