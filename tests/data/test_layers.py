"""Layers: composition by hand, sampling by closed form, shapes of outlines."""

import math

import pytest
import torch

from headroom.data.layers import Layer, fractal, glows, outlines, render_layers
from headroom.data.motion import background_placement

LEVEL = torch.eye(3).expand(1, 2, 3, 3)
SIZE = (8, 12)


def flat(colour: float, cover: float) -> Layer:
    canvas = torch.tensor([colour * cover] * 3 + [cover]).view(1, 4, 1, 1).expand(1, 4, 4, 4)
    return Layer(
        torch.tensor([0]), canvas, background_placement(torch.tensor([[6.0, 4.0]]), 2), torch.zeros(1, 2, 2, 3)
    )


def test_layers_hide_what_lies_behind_as_far_as_they_cover() -> None:
    seen = render_layers([flat(2.0, 1.0), flat(10.0, 0.25), flat(4.0, 0.5)], LEVEL, SIZE)
    expected = (2.0 * 0.75 + 10.0 * 0.25) * 0.5 + 4.0 * 0.5
    assert seen.shape == (1, 2, 3, *SIZE)
    assert torch.allclose(seen, torch.full_like(seen, expected))


def test_light_without_cover_adds_itself() -> None:
    glow = flat(0.0, 0.0)
    canvas = torch.tensor([5.0, 5.0, 5.0, 0.0]).view(1, 4, 1, 1).expand(1, 4, 4, 4)
    seen = render_layers([flat(2.0, 1.0), glow._replace(canvas=canvas)], LEVEL, SIZE)
    assert torch.allclose(seen, torch.full_like(seen, 7.0))


def test_a_layer_belongs_to_its_scenes_alone() -> None:
    background = flat(2.0, 1.0)
    both = background._replace(
        scene=torch.arange(2),
        **{name: torch.cat([getattr(background, name)] * 2) for name in ("canvas", "placement", "wave")},
    )
    seen = render_layers([both, flat(9.0, 1.0)._replace(scene=torch.tensor([1]))], LEVEL.expand(2, 2, 3, 3), SIZE)
    assert seen[0].unique() == 2 and seen[1].unique() == 9


def test_a_wave_displaces_by_its_sine() -> None:
    # A ramp along x, 1 per pixel, shows the displacement itself.
    side = 64
    ramp = torch.arange(side).float() + 0.5 - side / 2
    canvas = torch.cat((ramp.expand(1, 3, side, side), torch.ones(1, 1, side, side)), dim=1)
    wave = torch.tensor([[[3.0, 0.0, 0.2], [0.0, 0.0, 0.0]]])[None]
    layer = Layer(torch.tensor([0]), canvas, background_placement(torch.tensor([[32.0, 32.0]]), 1), wave)
    seen = render_layers([layer], LEVEL[:, :1], (32, 32))[0, 0, 0]
    inner = torch.arange(32) + 0.5 - 16
    assert torch.allclose(seen, inner + 3.0 * torch.sin(0.2 * inner)[:, None], atol=1e-4)


@pytest.mark.parametrize("make", [outlines, glows])
def test_covers_and_glows_end_before_the_border(make) -> None:
    drawn = make(16, 96, torch.Generator().manual_seed(1))
    assert drawn.shape == (16, 1, 96, 96)
    assert drawn.min() >= 0 and drawn.max() <= 1
    assert torch.cat((drawn[..., [0, -1], :].flatten(), drawn[..., [0, -1]].flatten())).max() < 0.25
    assert (drawn.flatten(1).amax(1) > 0.9).all()
    assert (drawn.flatten(1).mean(1) < 0.9).all()


def test_fractals_get_rougher_with_persistence() -> None:
    persistence = torch.tensor([0.2, 0.5, 0.8]).repeat_interleave(8)
    drawn = fractal(24, 64, persistence, torch.Generator().manual_seed(2))
    roughness = (drawn.diff(dim=3).std(dim=(1, 2, 3)) / drawn.std(dim=(1, 2, 3))).view(3, 8).mean(1)
    assert (roughness.diff() > 0).all()
    assert math.isclose(float(drawn.std()), 1, rel_tol=0.35)
