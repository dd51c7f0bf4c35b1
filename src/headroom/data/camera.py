"""A virtual camera: linear scene radiance in, the 8-bit photo that a camera would have made out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from headroom.data.jpeg import jpeg_round_trip
from headroom.data.response import ResponseFamily, apply_response, sample_responses


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """Ranges that cameras are drawn from.

    Attributes:
        clipped_share: Range of the share of pixels with a clipped channel; log-uniform.
        low_key_chance: Chance of a frame exposed far below clipping, for crushed shadows and dark scenes.
        low_key_ev: How far below, at most.
        families: Response families with their chances.
        colour_gain_ev: Standard deviation of the random gain of red and blue before clipping (white balance).
        saturation: Standard deviation of the log of the colour saturation applied after the sensor clips.
        shot_noise: Largest variance of the shot noise at full scale.
        read_noise: Largest standard deviation of the read noise, in full scales.
        jpeg_chance: Chance of JPEG compression; other photos are only quantised.
        jpeg_quality: Range of the JPEG quality, uniform.
    """

    clipped_share: tuple[float, float] = (0.02, 0.25)
    low_key_chance: float = 0.2
    low_key_ev: float = 4.0
    families: tuple[tuple[ResponseFamily, float], ...] = (
        ("srgb", 0.3),
        ("gamma", 0.1),
        ("sigmoid", 0.3),
        ("monotone", 0.3),
    )
    colour_gain_ev: float = 0.15
    saturation: float = 0.1
    shot_noise: float = 4e-4
    read_noise: float = 2e-3
    jpeg_chance: float = 0.7
    jpeg_quality: tuple[float, float] = (50.0, 100.0)


class Shot(NamedTuple):
    """What the camera gives.

    Attributes:
        codes: N x 3 x H x W code values in [0, 1], on the 8-bit grid.
        scene: N x 3 x H x W the radiance it saw, unclipped, in units of the light at which the sensor clips.
        response: N x K curve tables of `headroom.data.response`.
    """

    codes: Tensor
    scene: Tensor
    response: Tensor


def photograph(radiance: Tensor, settings: CameraSettings, generator: torch.Generator) -> Shot:
    """Take a photo of each scene with a camera drawn from `settings`.

    Args:
        radiance: N x 3 x H x W linear, any scale, >= 0; H and W multiples of 16.
        settings: Ranges of the camera's properties.
        generator: Source of randomness; must live on the CPU, so that every device sees the same cameras.
    """
    scene = balance(radiance, settings, generator)
    return record(scene * _exposure(scene, settings, generator), settings, generator)


def balance(radiance: Tensor, settings: CameraSettings, generator: torch.Generator) -> Tensor:
    """Give N x 3 x H x W light the colours that each camera's white balance, which is a little off, makes of it."""
    gains = torch.randn(radiance.shape[0], 3, generator=generator) * settings.colour_gain_ev
    gains[:, 1] = 0
    return radiance * torch.exp2(gains).to(radiance.device)[:, :, None, None]


def record(scene: Tensor, settings: CameraSettings, generator: torch.Generator) -> Shot:
    """Take a photo of light whose exposure is given.

    Args:
        scene: N x 3 x H x W linear, 1.0 = the light at which the sensor clips, >= 0; H and W multiples of 16.
        settings: Ranges of the camera's properties; those of its exposure do not matter.
        generator: See `photograph`.
    """
    count, device = scene.shape[0], scene.device
    scene = scene.clamp(0, 2.0**20)
    sensor = add_noise(scene, settings, generator).clamp(0, 1)
    saturation = torch.exp(torch.randn(count, 1, 1, 1, generator=generator) * settings.saturation).to(device)
    grey = sensor.mean(1, keepdim=True)
    # A pixel that clipped in every channel stays white, as in a real pipeline.
    rendered = (grey + (sensor - grey) * saturation).clamp(0, 1)
    names = [name for name, _ in settings.families]
    chances = torch.tensor([chance for _, chance in settings.families])
    drawn = torch.multinomial(chances, count, replacement=True, generator=generator)
    response = sample_responses([names[i] for i in drawn.tolist()], generator).to(device)
    codes = store(apply_response(rendered, response), settings, generator)
    return Shot(codes, scene, response)


def _exposure(scene: Tensor, settings: CameraSettings, generator: torch.Generator) -> Tensor:
    """Gain N x 1 x 1 x 1 that clips the drawn share of the pixels."""
    count = scene.shape[0]
    low, high = (torch.tensor(bound).log() for bound in settings.clipped_share)
    share = torch.exp(low + (high - low) * torch.rand(count, generator=generator))
    dark = torch.rand(count, generator=generator) < settings.low_key_chance
    ev = torch.where(dark, -settings.low_key_ev * torch.rand(count, generator=generator), torch.zeros(count))
    brightest = scene.amax(1).flatten(1).sort(dim=1).values
    rank = ((1 - share) * (brightest.shape[1] - 1)).long().to(scene.device)
    clip_point = brightest.gather(1, rank[:, None]).clamp_min(1e-8)
    return (torch.exp2(ev).to(scene.device)[:, None] / clip_point)[:, :, None, None]


def add_noise(scene: Tensor, settings: CameraSettings, generator: torch.Generator) -> Tensor:
    """Add shot noise, whose variance grows with the light, and read noise."""
    strength = torch.rand(2, scene.shape[0], 1, 1, 1, generator=generator).to(scene.device) ** 2
    variance = scene.clamp(max=2) * settings.shot_noise * strength[0] + (settings.read_noise * strength[1]) ** 2
    seed = int(torch.randint(2**62, (1,), generator=generator))
    noise = torch.randn(scene.shape, generator=torch.Generator(scene.device).manual_seed(seed), device=scene.device)
    return scene + variance.sqrt() * noise


def store(codes: Tensor, settings: CameraSettings, generator: torch.Generator) -> Tensor:
    """Quantise to 8 bits and, for some, compress."""
    count, device = codes.shape[0], codes.device
    low, high = settings.jpeg_quality
    quality = (low + (high - low) * torch.rand(count, generator=generator)).to(device)
    compressed = (torch.rand(count, generator=generator) < settings.jpeg_chance).to(device)
    subsample = bool(torch.rand(1, generator=generator) < 0.5)
    quantised = (codes * 255).round() / 255
    return torch.where(
        compressed[:, None, None, None], jpeg_round_trip(quantised, quality, subsample=subsample), quantised
    )
