"""Scenes in which something moves: a panorama behind, things with natural outlines and lamps before it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from headroom.data.layers import Layer, fractal, glows, outlines
from headroom.data.motion import MotionSettings, background_placement, flutter, object_placement
from headroom.data.views import View, render_views

MOMENTS = 3
"""A bracket has three frames; the reference is the middle one."""

_LAMP_SIDE = 64


@dataclass(frozen=True, slots=True)
class SceneSettings:
    """Ranges that scenes are drawn from.

    Attributes:
        focal_px: Range of the focal length in pixels, log-uniform; a panorama 1024 px wide holds 163 px a radian.
        pitch_degrees: Range of the pitch, uniform.
        roll_degrees: Largest roll, uniform: patches of photos have no upright.
        supersample: Pixels of the background's canvas along a pixel of the frame.
        detail: Largest standard deviation, in EV, of the fine texture that the panorama is too coarse to hold.
        objects: Fewest and most things before the background.
        object_side: Largest side of a thing's canvas.
        object_ev: Range of the brightness of a thing over that of the background.
        lamp_chance: Chance of a moving lamp.
        lamp_ev: Range of its brightness over the background's.
        background_flutter_px: Largest local displacement of the background between frames, as of leaves and water.
        motion: How things move.
    """

    focal_px: tuple[float, float] = (140.0, 600.0)
    pitch_degrees: tuple[float, float] = (-30.0, 40.0)
    roll_degrees: float = 180.0
    supersample: float = 1.5
    detail: float = 0.4
    objects: tuple[int, int] = (0, 3)
    object_side: int = 128
    object_ev: tuple[float, float] = (-3.0, 3.0)
    lamp_chance: float = 0.2
    lamp_ev: tuple[float, float] = (2.0, 7.0)
    background_flutter_px: float = 0.5
    motion: MotionSettings = field(default_factory=MotionSettings)


def draw_scenes(
    panoramas: Mapping[str, Tensor],
    focal_px: Tensor,
    frame_px: tuple[int, int],
    margin_px: int,
    settings: SceneSettings,
    generator: torch.Generator,
) -> list[Layer]:
    """Draw one scene per focal length, as layers from back to front; a median radiance of 1 behind.

    Args:
        panoramas: 3 x H x W linear radiance by name.
        focal_px: N focal lengths in pixels.
        frame_px: Height and width of the frames.
        margin_px: How far the camera may stray.
        settings: Ranges.
        generator: Source of randomness.
    """
    count = len(focal_px)
    background = _background(panoramas, focal_px, frame_px, margin_px, settings, generator)
    layers = [background]
    fewest, most = settings.objects
    number = torch.randint(fewest, most + 1, (count,), generator=generator)
    textures = background.canvas[:, :3].roll(1, 0)
    for index in range(most):
        scene = (index < number).nonzero().flatten()
        canvas = _object_canvas(textures[scene], settings, generator)
        layers.append(_moving(scene, canvas, frame_px, settings.motion, generator))
    scene = (torch.rand(count, generator=generator) < settings.lamp_chance).nonzero().flatten()
    canvas = _lamp_canvas(len(scene), settings, generator)
    layers.append(_moving(scene, canvas, frame_px, settings.motion, generator))
    return [layer for layer in layers if len(layer.scene)]


def _background(
    panoramas: Mapping[str, Tensor],
    focal_px: Tensor,
    frame_px: tuple[int, int],
    margin_px: int,
    settings: SceneSettings,
    generator: torch.Generator,
) -> Layer:
    """Look at a panorama, and add the texture that it is too coarse to hold."""
    count = len(focal_px)
    extent = torch.tensor([frame_px[1], frame_px[0]]) + 2 * margin_px
    width, height = (extent * settings.supersample).round().int().tolist()
    light = _look_around(panoramas, 2 * torch.atan(extent[0] / 2 / focal_px), (height, width), settings, generator)
    strength = settings.detail * torch.rand(count, 1, 1, 1, generator=generator)
    texture = fractal(count, max(height, width), 0.4 + 0.5 * torch.rand(count, generator=generator), generator)
    light = light / median(light) * torch.exp2(strength * texture[:, :, :height, :width])
    return Layer(
        torch.arange(count),
        torch.cat((light, torch.ones(count, 1, height, width)), dim=1),
        background_placement((extent / 2).expand(count, 2), MOMENTS),
        flutter(count, MOMENTS, settings.background_flutter_px, generator),
    )


def _look_around(
    panoramas: Mapping[str, Tensor],
    field_of_view: Tensor,
    size: tuple[int, int],
    settings: SceneSettings,
    generator: torch.Generator,
) -> Tensor:
    """Draw a view for each field of view, of any panorama in any direction; half of them are mirrored."""
    count, names = len(field_of_view), list(panoramas)
    chosen = torch.randint(len(names), (count,), generator=generator).tolist()
    low, high = settings.pitch_degrees
    pitch = low + (high - low) * torch.rand(count, generator=generator)
    yaw, roll = torch.rand(2, count, generator=generator) * 2 - 1
    angles = (180 * yaw).deg2rad(), pitch.deg2rad(), (settings.roll_degrees * roll).deg2rad()
    one_by_one = (View(*one) for one in zip(*(angle.split(1) for angle in (*angles, field_of_view)), strict=True))
    light = torch.cat(
        [render_views(panoramas[names[i]], view, size) for i, view in zip(chosen, one_by_one, strict=True)]
    )
    mirrored = torch.rand(count, 1, 1, 1, generator=generator) < 0.5
    return torch.where(mirrored, light.flip(3), light)


def median(light: Tensor) -> Tensor:
    """Give the median of each picture's values, N x 1 x 1 x 1, from a sixteenth of its pixels."""
    return light[:, :, ::4, ::4].flatten(1).median(1).values.clamp_min(1e-5).view(-1, 1, 1, 1)


def _object_canvas(textures: Tensor, settings: SceneSettings, generator: torch.Generator) -> Tensor:
    """Cut one thing out of each of M x 3 x H x W pictures; tint and roughen it, and give some of them stripes."""
    count, side = textures.shape[0], min(settings.object_side, *textures.shape[2:])

    def uniform(*shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=generator)

    free = torch.tensor([textures.shape[2] - side + 1, textures.shape[3] - side + 1])
    corners = (uniform(2) * free).int().tolist()
    light = textures.new_empty(count, 3, side, side)
    for index, (y, x) in enumerate(corners):
        light[index] = textures[index, :, y : y + side, x : x + side]
    low, high = settings.object_ev
    ev = low + (high - low) * uniform(1, 1, 1) + 0.3 * torch.randn(count, 3, 1, 1, generator=generator)
    texture = uniform(1, 1, 1) * fractal(count, side, 0.4 + 0.5 * uniform(), generator)
    texture = texture + _stripes(side, uniform(1, 1, 1), uniform(1, 1, 1)) * (uniform(1, 1, 1) < 0.25)
    cover = outlines(count, side, generator)
    return torch.cat((light * (torch.exp2(ev) / median(light)) * (torch.exp2(texture) * cover), cover), dim=1)


def _stripes(side: int, direction: Tensor, pitch: Tensor) -> Tensor:
    """Waves of 2 to 15 periods: M x 1 x side x side, for M x 1 x 1 x 1 directions and pitches in [0, 1]."""
    position = torch.linspace(-1, 1, side)
    angle = math.pi * direction
    along = position * angle.cos() + position.view(-1, 1) * angle.sin()
    return torch.sin(along * (6 + 40 * pitch))


def _lamp_canvas(count: int, settings: SceneSettings, generator: torch.Generator) -> Tensor:
    """Draw lamps that are coloured a little; they hide nothing."""
    low, high = settings.lamp_ev
    ev = low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator)
    ev = ev + 0.5 * torch.randn(count, 3, 1, 1, generator=generator)
    glow = glows(count, _LAMP_SIDE, generator)
    return torch.cat((glow * torch.exp2(ev), torch.zeros_like(glow)), dim=1)


def _moving(
    scene: Tensor, canvas: Tensor, frame_px: tuple[int, int], motion: MotionSettings, generator: torch.Generator
) -> Layer:
    count = len(scene)
    placement = object_placement(count, MOMENTS, frame_px, motion, generator)
    return Layer(scene, canvas, placement, flutter(count, MOMENTS, motion.flutter_px, generator))
