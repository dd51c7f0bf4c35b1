from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from headroom.colour.transfer import decode, encode
from headroom.data.camera import CameraSettings, Shot, photograph
from headroom.data.response import apply_response

PLAIN = CameraSettings(
    low_key_chance=0,
    families=(("srgb", 1.0),),
    colour_gain_ev=0,
    saturation=0,
    shot_noise=0,
    read_noise=0,
    jpeg_chance=0,
)
"""A camera that only exposes, clips and quantises."""


def scenes(count: int = 4, side_px: int = 64, seed: int = 0) -> Tensor:
    """Make light with twelve stops, no two pixels alike."""
    generator = torch.Generator().manual_seed(seed)
    return torch.exp2(12 * torch.rand(count, 3, side_px, side_px, generator=generator) - 6)


def shoot(radiance: Tensor, settings: CameraSettings, seed: int = 1) -> Shot:
    return photograph(radiance, settings, torch.Generator().manual_seed(seed))


def clipped_share(shot: Shot) -> Tensor:
    return (shot.codes.amax(1) >= 1).float().mean((1, 2))


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_the_share_that_was_asked_for_clips(share: float) -> None:
    shot = shoot(scenes(), replace(PLAIN, clipped_share=(share, share)))
    exact = (shot.scene.amax(1) >= 1).float().mean((1, 2))
    torch.testing.assert_close(exact, torch.full((4,), share), atol=2 / 64**2, rtol=0)
    # Half a code below the clip level still rounds to the top code.
    torch.testing.assert_close(clipped_share(shot), torch.full((4,), share), atol=0.01, rtol=0)


def test_the_default_camera_clips_about_as_much() -> None:
    share = (0.1, 0.1)
    shot = shoot(scenes(64), replace(CameraSettings(low_key_chance=0), clipped_share=share))
    assert float((shot.scene.amax(1) >= 1).float().mean()) == pytest.approx(0.1, abs=1e-3)
    assert float((shot.codes.amax(1) >= 250 / 255).float().mean()) == pytest.approx(0.1, abs=0.04)


def test_shares_are_drawn_log_uniformly() -> None:
    shot = shoot(scenes(600, 16), replace(PLAIN, clipped_share=(0.02, 0.25)))
    share = (shot.scene.amax(1) >= 1).float().mean((1, 2))
    assert share.min() >= 0.02 - 1 / 256
    assert share.max() <= 0.25 + 1 / 256
    assert float(share.median()) == pytest.approx((0.02 * 0.25) ** 0.5, rel=0.1)


def test_low_key_frames_hold_their_highlights() -> None:
    settings = replace(PLAIN, low_key_chance=1, low_key_ev=4, clipped_share=(0.1, 0.1))
    usual, dark = shoot(scenes(64), replace(settings, low_key_chance=0)), shoot(scenes(64), settings)
    ev = (dark.scene / usual.scene).flatten(1).log2()
    assert (ev.std(1) < 1e-3).all()
    assert -4 <= ev.min() < -3
    assert -1 < ev.max() <= 0


def test_codes_are_the_scene_through_the_curve() -> None:
    shot = shoot(scenes(), PLAIN)
    expected = encode(shot.scene.clamp(0, 1).numpy(), "srgb") * 255
    assert np.abs(shot.codes.numpy() * 255 - expected).max() < 0.51
    ratio = shot.scene / scenes()
    torch.testing.assert_close(ratio, ratio[:, :1, :1, :1].expand_as(ratio))


@pytest.mark.parametrize("family", ["gamma", "sigmoid", "monotone", "shoulder"])
def test_the_curve_of_a_shot_is_the_one_it_names(family: str) -> None:
    shot = shoot(scenes(), replace(PLAIN, families=((family, 1.0),)))  # type: ignore[arg-type]
    expected = apply_response(shot.scene, shot.response) * 255
    assert float((shot.codes * 255 - expected).abs().max()) < 0.501


def test_white_balance_scales_red_and_blue_of_a_shot() -> None:
    shot = shoot(scenes(200, 16), replace(PLAIN, colour_gain_ev=0.15))
    gains = (shot.scene / scenes(200, 16)).flatten(2).median(2).values
    red_and_blue = (gains[:, [0, 2]] / gains[:, 1:2]).log2()
    assert float(red_and_blue.std()) == pytest.approx(0.15, rel=0.1)
    assert float(red_and_blue.mean()) == pytest.approx(0, abs=0.03)


def test_what_clipped_in_every_channel_is_white() -> None:
    shot = shoot(scenes(16), replace(PLAIN, saturation=0.3, clipped_share=(0.5, 0.5)))
    everywhere = (shot.scene.amin(1, keepdim=True) >= 1).expand_as(shot.codes)
    assert everywhere.any()
    assert (shot.codes[everywhere] == 1).all()


def noise_variance(levels: list[float], settings: CameraSettings) -> list[float]:
    """Measure the variance of linearised codes on patches of `levels` of full scale, over many cameras."""
    radiance = torch.ones(24, 3, 64, 64)
    for i, level in enumerate(levels):
        radiance[:, :, 16 * i : 16 * i + 16] = level
    shot = shoot(radiance, replace(settings, clipped_share=(0.1, 0.1)))
    linear = decode(shot.codes.numpy(), "srgb")
    return [float(linear[:, :, 16 * i : 16 * i + 16].var(axis=(2, 3)).mean()) for i in range(len(levels))]


def test_shot_noise_grows_with_the_light() -> None:
    dark, middle, bright = noise_variance([0.1, 0.2, 0.6], replace(PLAIN, shot_noise=4e-3))
    assert middle / dark == pytest.approx(2, rel=0.1)
    assert bright / dark == pytest.approx(6, rel=0.1)


def test_read_noise_does_not() -> None:
    dark, middle, bright = noise_variance([0.2, 0.4, 0.6], replace(PLAIN, read_noise=0.03))
    assert middle / dark == pytest.approx(1, rel=0.1)
    assert bright / dark == pytest.approx(1, rel=0.1)


def test_equal_seeds_give_equal_bits() -> None:
    one, other, third = (shoot(scenes(), CameraSettings(), seed) for seed in (3, 3, 4))
    assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))
    assert not torch.equal(one.codes, third.codes)


@pytest.mark.parametrize("jpeg_chance", [0.0, 1.0])
def test_photos_lie_on_the_8_bit_grid(jpeg_chance: float) -> None:
    codes = shoot(scenes(), replace(CameraSettings(), jpeg_chance=jpeg_chance)).codes * 255
    torch.testing.assert_close(codes, codes.round(), atol=1e-3, rtol=0)
    assert 0 <= codes.min() <= codes.max() <= 255


def test_some_photos_are_compressed() -> None:
    settings = replace(PLAIN, jpeg_chance=0.5, jpeg_quality=(50.0, 60.0))
    compressed, plain = (shoot(scenes(100, 16), each) for each in (settings, replace(settings, jpeg_chance=0)))
    changed = (compressed.codes != plain.codes).flatten(1).any(1).float().mean()
    assert 0.35 < changed < 0.65


def test_the_unlimited_sun_stays_finite() -> None:
    radiance = scenes(2)
    radiance[:, :, 30:32, 30:32] = 1e30
    shot = shoot(radiance, CameraSettings())
    assert all(torch.isfinite(tensor).all() for tensor in shot)
    assert (shot.codes[:, :, 30:32, 30:32].amax((2, 3)) >= 0.9).all()
    black = shoot(torch.zeros(1, 3, 16, 16), CameraSettings())
    assert all(torch.isfinite(tensor).all() for tensor in black)
