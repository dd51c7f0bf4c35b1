"""The mu-law curve against the one for arrays and a closed form."""

from __future__ import annotations

import numpy as np
import torch

from headroom.colour import tone_mapping
from headroom.nn.mu_law import inverse_mu_law, mu_law


def test_equals_the_curve_for_arrays() -> None:
    linear = torch.linspace(0, 1, 1001)
    np.testing.assert_allclose(mu_law(linear), tone_mapping.mu_law(linear.numpy()), rtol=1e-6)


def test_the_inverse_gives_light_back_down_to_the_darkest() -> None:
    linear = torch.cat((torch.zeros(1), torch.logspace(-7, 0, 200)))
    torch.testing.assert_close(inverse_mu_law(mu_law(linear)), linear, rtol=1e-5, atol=1e-9)


def test_slope_at_black_is_finite() -> None:
    black = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    mu_law(black).backward()
    assert black.grad is not None
    torch.testing.assert_close(black.grad, torch.tensor([5000 / np.log(5001)]))
