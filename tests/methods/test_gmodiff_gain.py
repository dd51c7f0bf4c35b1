"""The gain map: the equation and its range."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headroom.methods.gmodiff.gain import OFFSET, decode_gain, encode_gain, safe_unit

FULL_SCALES = st.floats(0, 1, width=32)


def picture(seed: int, height: int = 12, width: int = 20) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


@given(light=FULL_SCALES, base=FULL_SCALES)
def test_it_is_the_papers_equation(light: float, base: float) -> None:
    expected = math.log(1 + 100 * light / (base + 1 / 64)) / math.log(101)
    assert float(encode_gain(torch.tensor(light), torch.tensor(base))) == pytest.approx(expected, abs=1e-6)


@given(light=FULL_SCALES, base=FULL_SCALES)
def test_light_comes_back(light: float, base: float) -> None:
    one, over = torch.tensor(light), torch.tensor(base)
    assert float(decode_gain(encode_gain(one, over), over)) == pytest.approx(light, abs=1e-6)


@given(gain=FULL_SCALES, base=FULL_SCALES)
def test_the_gain_comes_back(gain: float, base: float) -> None:
    one, over = torch.tensor(gain), torch.tensor(base)
    assert float(encode_gain(decode_gain(one, over), over)) == pytest.approx(gain, abs=1e-6)


@given(base=FULL_SCALES)
def test_a_gain_of_one_is_the_picture_itself(base: float) -> None:
    over = torch.tensor(base)
    assert float(decode_gain(torch.tensor(1.0), over)) == pytest.approx(base + OFFSET, rel=1e-6)
    assert float(encode_gain(over + OFFSET, over)) == pytest.approx(1, abs=1e-6)


@given(code=FULL_SCALES, exposure=st.floats(1, 4096), beyond=FULL_SCALES)
def test_light_in_the_units_of_a_merge_stays_in_range(code: float, exposure: float, beyond: float) -> None:
    measured = code**2.2 / exposure
    clipped = measured + beyond * (1 - measured)
    assert 0 <= float(encode_gain(torch.tensor(measured), torch.tensor(code))) <= 1
    assert 0 <= float(encode_gain(torch.tensor(clipped), torch.tensor(1.0))) <= 1


@given(scale=st.floats(-30, 30).map(math.exp))
def test_any_scale_of_light_is_brought_into_range(scale: float) -> None:
    light, base = scale * torch.cat((picture(1), 4 * picture(3))), torch.cat((picture(2), picture(4)))
    unit = safe_unit(light, base)
    assert unit.shape == (2, 1, 1, 1)
    gain = encode_gain(light / unit, base)
    assert float(gain.min()) >= 0
    assert float(gain.max()) <= 1 + 1e-6
    assert ((unit == 1) | torch.isclose(gain.amax((1, 2, 3), keepdim=True), torch.tensor(1.0))).all()
    torch.testing.assert_close(unit * decode_gain(gain, base), light, rtol=1e-4, atol=1e-6 * scale)
