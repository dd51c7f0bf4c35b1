from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from headroom.colour.transfer import decode, encode
from headroom.data.response import ResponseFamily, apply_response, invert_response, sample_responses

FAMILIES: tuple[ResponseFamily, ...] = get_args(ResponseFamily)


def curves(family: ResponseFamily, count: int = 40, seed: int = 0) -> Tensor:
    return sample_responses([family] * count, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("family", FAMILIES)
def test_curves_rise_from_black_to_full_scale(family: ResponseFamily) -> None:
    tables = curves(family)
    assert torch.isfinite(tables).all()
    assert (tables.diff(dim=1) > 0).all()
    torch.testing.assert_close(tables[:, 0], torch.zeros(40), atol=1e-6, rtol=0)
    torch.testing.assert_close(tables[:, -1], torch.ones(40), atol=1e-6, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_curve_is_undone_by_its_inverse(family: ResponseFamily) -> None:
    light = torch.linspace(0, 1, 40 * 3 * 16 * 16).view(3, 16, 16, 40).permute(3, 0, 1, 2)
    tables = curves(family)
    codes = apply_response(light, tables)
    # In the square root of light, the step of the tables.
    torch.testing.assert_close(invert_response(codes, tables).sqrt(), light.sqrt(), atol=2e-3, rtol=0)
    torch.testing.assert_close(apply_response(invert_response(codes, tables), tables), codes, atol=2e-5, rtol=0)


def test_light_beyond_the_sensor_clips() -> None:
    tables = curves("monotone", 1)
    codes = apply_response(torch.tensor([-1.0, 0.0, 1.0, 7.0]).view(1, 1, 2, 2).expand(1, 3, 2, 2), tables)
    torch.testing.assert_close(codes[0, 0].flatten(), torch.tensor([0.0, 0.0, 1.0, 1.0]), atol=1e-6, rtol=0)


def test_srgb_is_that_of_the_colour_module() -> None:
    values = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) ** 3
    tables = curves("srgb", 1)
    np.testing.assert_allclose(apply_response(values, tables), encode(values.numpy(), "srgb"), atol=2e-5)
    np.testing.assert_allclose(invert_response(values, tables), decode(values.numpy(), "srgb"), atol=2e-5)


def test_gammas_are_straight_lines_in_logarithms() -> None:
    tables = curves("gamma").double()
    light = torch.linspace(0, 1, tables.shape[1], dtype=torch.float64) ** 2
    exponents = tables[:, 100:-1].log() / light[100:-1].log()
    assert (exponents.std(1) < 1e-4).all()
    assert 1 / 2.6 <= exponents.min() < 1 / 2.5
    assert 1 / 1.9 < exponents.max() <= 1 / 1.8


def test_sigmoids_are_those_of_hdrcnn() -> None:
    # Eilertsen et al. 2017: (1 + s) H^n / (H^n + s), so for the right n, 1 / code = (1 + s H^-n) / (1 + s) exactly.
    table = curves("sigmoid", 1)[0, 50:].double()
    light = (torch.linspace(0, 1, 1024, dtype=torch.float64) ** 2)[50:]

    def misfit(n: float) -> tuple[float, list[float]]:
        design = torch.stack((table, table * light**-n), dim=1)
        solution = torch.linalg.lstsq(design, torch.ones(len(table), 1, dtype=torch.float64)).solution
        return float((design @ solution - 1).abs().max()), solution[:, 0].tolist()

    worst, (constant, slope) = min(misfit(n / 1000) for n in range(500, 1300))
    assert worst < 1e-3
    assert constant + slope == pytest.approx(1, abs=1e-3)
    assert 0.3 < slope / constant < 0.9


def test_shoulders_lift_the_mid_tones() -> None:
    srgb, shoulders = curves("srgb", 1), curves("shoulder", 200)
    middle = int(0.18**0.5 * srgb.shape[1])
    lift = shoulders[:, middle].mean() - srgb[0, middle]
    assert lift > 0.05
    assert (shoulders[:, middle] - srgb[0, middle]).min() > -0.15


def test_equal_seeds_give_equal_curves() -> None:
    names: list[ResponseFamily] = list(FAMILIES) * 2
    one, other = (sample_responses(names, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, sample_responses(names, torch.Generator().manual_seed(5)))
