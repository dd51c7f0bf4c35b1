"""A virtual camera that brackets: three exposures of a scene's light, in gamma 2.2 codes with the noise of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from headroom.data.brackets_scene import MOMENTS
from headroom.data.jpeg import jpeg_round_trip

GAMMA = 2.2
REFERENCE = 1


@dataclass(frozen=True, slots=True)
class BracketCameraSettings:
    """Ranges that cameras and their exposures are drawn from.

    Attributes:
        steps_ev: Usual steps between two frames, with their chances.
        uneven_chance: Chance that both steps are any numbers from `uneven_ev`.
        uneven_ev: Range of such a step, uniform.
        step_error_ev: Standard deviation of what shutter and aperture make of a step.
        clipped_share: Range of the share of the reference's pixels with a clipped channel; log-uniform.
        unclipped_chance: Chance that nothing clips, up to 3 EV below.
        drowned_chance: Chance that more than `clipped_share` clips.
        shot_noise: Largest variance of the shot noise at full scale.
        read_noise: Largest standard deviation of the read noise, in full scales.
        noise_share: Range of what a bracket has of both; most have little.
        eight_bit_chance: Chance of 8-bit codes; the others have 16 bits.
        jpeg_chance: Chance that 8-bit codes went through JPEG of quality 85 to 100.
    """

    steps_ev: tuple[tuple[float, float], ...] = ((1.0, 0.15), (2.0, 0.5), (3.0, 0.35))
    uneven_chance: float = 0.2
    uneven_ev: tuple[float, float] = (0.7, 3.3)
    step_error_ev: float = 0.01
    clipped_share: tuple[float, float] = (0.02, 0.4)
    unclipped_chance: float = 0.1
    drowned_chance: float = 0.1
    shot_noise: float = 4e-4
    read_noise: float = 2e-3
    noise_share: tuple[float, float] = (0.0, 1.0)
    eight_bit_chance: float = 0.4
    jpeg_chance: float = 0.3


class Shots(NamedTuple):
    """What the camera gives.

    Attributes:
        codes: N x T x 3 x H x W in [0, 1], each frame on the grid of its depth.
        exposure: N x T exposures over the shortest, as the camera reports them.
        gain: N x 1 x 1 x 1 x 1 that brings the scene's light to the units of a merge: 1.0 = the shortest frame's clip.
        eight_bit: N, True for 8-bit codes.
    """

    codes: Tensor
    exposure: Tensor
    gain: Tensor
    eight_bit: Tensor


def shoot(light: Tensor, settings: BracketCameraSettings, generator: torch.Generator) -> Shots:
    """Expose N x T x 3 x H x W light, one frame a moment, in ascending exposure.

    Args:
        light: Linear, any scale; H and W multiples of 16 where `jpeg_chance` is not 0.
        settings: Ranges.
        generator: Source of randomness.
    """
    count = light.shape[0]
    ev = _exposures_ev(count, settings, generator)
    exposure = torch.exp2(ev)
    gain = _reference_gain(light[:, REFERENCE], settings, generator) / exposure[:, REFERENCE, None, None, None]
    error = settings.step_error_ev * torch.randn(count, MOMENTS, generator=generator)
    error[:, REFERENCE] = 0
    actual = gain[:, None] * torch.exp2(ev + error)[:, :, None, None, None]
    sensor = _noisy(light * actual, settings, generator).clamp(0, 1)
    eight_bit = torch.rand(count, generator=generator) < settings.eight_bit_chance
    codes = _store(sensor ** (1 / GAMMA), eight_bit, settings, generator)
    return Shots(codes, exposure, gain[:, None], eight_bit)


def _exposures_ev(count: int, settings: BracketCameraSettings, generator: torch.Generator) -> Tensor:
    """EV over the shortest frame, N x T."""
    values, chances = torch.tensor(settings.steps_ev).unbind(1)
    even = values[torch.multinomial(chances, count, replacement=True, generator=generator)][:, None]
    low, high = settings.uneven_ev
    uneven = low + (high - low) * torch.rand(count, MOMENTS - 1, generator=generator)
    steps = torch.where(torch.rand(count, 1, generator=generator) < settings.uneven_chance, uneven, even)
    return torch.cat((torch.zeros(count, 1), steps.cumsum(1)), dim=1)


def _reference_gain(light: Tensor, settings: BracketCameraSettings, generator: torch.Generator) -> Tensor:
    """Gain N x 1 x 1 x 1 with which the drawn share of the reference's pixels clips."""
    count = light.shape[0]
    draw, kind, depth = torch.rand(3, count, generator=generator)
    low, high = settings.clipped_share
    share = low * (high / low) ** draw
    drowned = kind < settings.drowned_chance
    share = torch.where(drowned, high + (0.95 - high) * draw, share)
    unclipped = kind >= 1 - settings.unclipped_chance
    share = torch.where(unclipped, 0, share)
    brightest = light[:, :, ::2, ::2].amax(1).flatten(1).sort(dim=1).values
    rank = ((1 - share) * (brightest.shape[1] - 1)).long()
    clip_point = brightest.gather(1, rank[:, None]).squeeze(1).clamp_min(1e-8)
    return (torch.exp2(-3 * depth * unclipped) / clip_point).view(-1, 1, 1, 1)


def _noisy(sensor: Tensor, settings: BracketCameraSettings, generator: torch.Generator) -> Tensor:
    """Add shot noise, whose variance grows with the light, and read noise; one ISO a bracket."""
    low, high = settings.noise_share
    share = low + (high - low) * torch.rand(2, sensor.shape[0], 1, 1, 1, 1, generator=generator) ** 2
    variance = sensor.clamp(max=2) * settings.shot_noise * share[0] + (settings.read_noise * share[1]) ** 2
    return sensor + variance.sqrt() * torch.randn(sensor.shape, generator=generator)


def _store(codes: Tensor, eight_bit: Tensor, settings: BracketCameraSettings, generator: torch.Generator) -> Tensor:
    """Quantise to 8 or 16 bits and compress some of the former."""
    top = torch.where(eight_bit, 255.0, 65535.0).view(-1, 1, 1, 1, 1)
    stored = (codes * top).round() / top
    compressed = eight_bit & (torch.rand(len(codes), generator=generator) < settings.jpeg_chance)
    quality = 85 + 15 * torch.rand(len(codes), generator=generator)
    if compressed.any():
        frames = stored[compressed].flatten(0, 1)
        packed = jpeg_round_trip(frames, quality[compressed].repeat_interleave(MOMENTS), subsample=False)
        stored[compressed] = packed.view_as(stored[compressed])
    return stored
