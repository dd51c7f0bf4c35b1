"""From a photo to a gain: where, by what scale, and by which direction."""

from __future__ import annotations

from dataclasses import replace

import lediff_tiny
import pytest
import torch
from torch import Tensor

from headroom.colour.code_ends import CRUSH_LEVEL
from headroom.methods import load
from headroom.methods.contract import ExpandInput
from headroom.methods.lediff.expanding import expand, scale_of
from headroom.methods.lediff.exposer import ExposeOptions
from headroom.methods.lediff.network import LEDiff
from headroom.nn.latent.settings import LatentPriorSettings


@pytest.fixture(scope="module")
def network(tiny_prior: LatentPriorSettings) -> LEDiff:
    made = lediff_tiny.network(tiny_prior)
    for exposer in (made.highlights, made.shadows):
        assert exposer is not None
        exposer.options = ExposeOptions(steps=2)
    return made


def photo(count: int = 1, height: int = 32, width: int = 64) -> ExpandInput:
    generator = torch.Generator().manual_seed(0)
    encoded = (torch.rand(count, 3, height, width, generator=generator) * 1.4 - 0.1).clamp(0, 1)
    return ExpandInput(encoded, encoded**2.2, (encoded == 1).float(), (encoded < 8 / 255).float())


@torch.no_grad()
def run(network: LEDiff, inputs: ExpandInput) -> Tensor:
    return expand(network, inputs, torch.Generator().manual_seed(0), lambda _: None)


def test_there_is_a_gain_where_something_is_missing_alone(network: LEDiff) -> None:
    given = photo()
    assert given.crushed is not None
    gain = run(network, given)
    lost = (given.clipped + given.crushed) > 0
    assert gain[lost].all()
    assert not gain[~lost].any()


def test_each_direction_has_its_own_places(network: LEDiff) -> None:
    given = photo()
    assert given.crushed is not None
    both = run(network, given)
    blown = run(network, given._replace(crushed=None))
    assert torch.equal(blown[given.clipped > 0], both[given.clipped > 0])
    assert not blown[given.crushed > 0].any()
    alone = run(LEDiff(network.highlights, None, network.anchor), given)
    assert torch.equal(alone, blown)


def test_a_photo_that_lacks_nothing_needs_no_work(network: LEDiff) -> None:
    given = photo()
    told: list[float] = []
    gain = expand(
        network,
        given._replace(clipped=torch.zeros_like(given.clipped), crushed=None),
        torch.Generator(),
        told.append,
    )
    assert not gain.any()
    assert told == [1.0]


@pytest.mark.parametrize("direction", ["highlights", "shadows"])
@pytest.mark.parametrize("factor", [2.0**-7, 1.0, 2.0**9])
def test_light_of_any_scale_is_brought_to_the_photo(direction: str, factor: float) -> None:
    given = photo(count=2)
    light = given.linear * factor * torch.tensor([1.0, 0.25]).view(2, 1, 1, 1)
    scale = scale_of(light, given, direction)  # type: ignore[arg-type]
    torch.testing.assert_close(light * scale, given.linear, atol=1e-6, rtol=1e-4)


def test_the_scale_is_that_of_what_lies_next_to_the_lost() -> None:
    grey = photo().encoded[:, :1].expand(-1, 3, -1, -1)
    given = ExpandInput(grey, grey**2.2, (grey == 1).float())
    # Light whose contrast is too large: right at the bright end for highlights, at the dark one for shadows.
    light = given.linear**2
    measured = given.linear[:, 0][(grey[:, 0] < 1) & (grey[:, 0] >= 8 / 255)]
    for direction, quantile in (("highlights", 0.875), ("shadows", 0.125)):
        at = float(measured.quantile(quantile))
        assert float(scale_of(light, given, direction)) * at == pytest.approx(1, rel=0.02)  # type: ignore[arg-type]


def test_a_photo_without_measured_pixels_keeps_thescale_of() -> None:
    white = torch.ones(1, 3, 32, 32)
    assert scale_of(white * 5, ExpandInput(white, white, white), "highlights") == 1


def test_gains_are_over_the_crush_level(network: LEDiff) -> None:
    given = photo()
    assert given.crushed is not None
    dark = given.crushed > 0
    darker = given._replace(linear=torch.where(dark, 0.0, given.linear))
    brightest = torch.where(dark, CRUSH_LEVEL, given.linear)
    torch.testing.assert_close(run(network, darker)[dark], run(network, given._replace(linear=brightest))[dark])


def test_the_fast_preset_is_the_compact_one_in_fewer_steps() -> None:
    presets = load("lediff").presets
    compact, fast = presets["compact"], presets["fast"]
    assert fast.weights == compact.weights
    assert replace(fast.settings, options=compact.settings.options) == compact.settings
    assert fast.settings.options.steps < compact.settings.options.steps
