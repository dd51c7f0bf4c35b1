"""How a hand holds a camera and how things move: homographies for `headroom.data.layers`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """Ranges of what moves, in pixels of a photo some 768 pixels wide.

    Attributes:
        size_px: Range of the height of an object, log-uniform.
        step_px: Longest way between two frames; the length is uniform.
        still_chance: Chance that an object does not travel; it may still turn and flutter.
        turn_degrees: Standard deviation of the turn between two frames.
        growth: Standard deviation of the log of the growth between two frames.
        absent_chance: Chance, for each frame, that the object is not there.
        flutter_px: Largest displacement of what is not rigid.
    """

    size_px: tuple[float, float] = (32.0, 320.0)
    step_px: float = 40.0
    still_chance: float = 0.1
    turn_degrees: float = 6.0
    growth: float = 0.03
    absent_chance: float = 0.08
    flutter_px: float = 3.0


def camera_rotation(angles: Tensor, focal_px: Tensor) -> Tensor:
    """Give the homographies of a camera that only turns.

    Args:
        angles: N x T x 3, yaw, pitch and roll in radians, as in `headroom.data.views.View`.
        focal_px: N, focal length in pixels.

    Returns:
        N x T x 3 x 3, from positions in the turned frame to positions in the level one.
    """
    yaw, pitch, roll = angles.unbind(-1)
    zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)

    def matrix(*rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)

    # Here y points down, unlike in `headroom.data.views`, so pitch and roll change their signs.
    about_y = matrix((yaw.cos(), zero, yaw.sin()), (zero, one, zero), (-yaw.sin(), zero, yaw.cos()))
    about_x = matrix((one, zero, zero), (zero, pitch.cos(), -pitch.sin()), (zero, pitch.sin(), pitch.cos()))
    about_z = matrix((roll.cos(), -roll.sin(), zero), (roll.sin(), roll.cos(), zero), (zero, zero, one))
    one = torch.ones_like(focal_px)
    lens = torch.diag_embed(torch.stack((focal_px, focal_px, one), dim=-1))[:, None]
    turned: Tensor = lens @ about_y @ about_x @ about_z @ torch.linalg.inv(lens)
    return turned


def background_placement(reach_px: Tensor, moments: int) -> Tensor:
    """Place a canvas that reaches `reach_px` (N x 2) from the centre, the same at all moments: N x T x 3 x 3."""
    scale = torch.cat((1 / reach_px, torch.ones(reach_px.shape[0], 1)), dim=1)
    return torch.diag_embed(scale)[:, None].expand(-1, moments, -1, -1)


def object_placement(
    count: int, moments: int, frame_px: tuple[int, int], settings: MotionSettings, generator: torch.Generator
) -> Tensor:
    """Draw `count` things that cross the frame: each travels, turns and grows, and may be absent at times.

    Args:
        count: How many.
        moments: T, at equal intervals; the thing is at home in the middle one.
        frame_px: Height and width of the frame in pixels.
        settings: Ranges.
        generator: Source of randomness.

    Returns:
        count x T x 3 x 3, from level positions to the thing's canvas; an absent thing's canvas is out of sight.
    """

    def uniform(*shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=generator)

    def normal(*shape: int) -> Tensor:
        return torch.randn(count, *shape, generator=generator)

    low, high = settings.size_px
    reach = low / 2 * (high / low) ** uniform()
    frame = torch.tensor([frame_px[1], frame_px[0]], dtype=torch.float32)
    home = (uniform(2) - 0.5) * (frame + 0.7 * reach[:, None])
    heading = 2 * math.pi * uniform()
    way = settings.step_px * uniform() * (uniform() >= settings.still_chance)
    step = way[:, None] * torch.stack((heading.cos(), heading.sin()), dim=1)
    time = torch.arange(moments) - (moments - 1) / 2
    # Steps differ a little in length: nothing moves evenly.
    centre = home[:, None] + step[:, None] * (time * (1 + 0.2 * normal(moments)))[..., None]
    angle = 2 * math.pi * uniform(1) * (uniform(1) < 0.3) + math.radians(settings.turn_degrees) * normal(1) * time
    size = reach[:, None] * torch.exp(settings.growth * normal(1) * time)
    absent = uniform(moments) < settings.absent_chance
    return _canvas_from_frame(torch.where(absent[..., None], 1e6, centre), angle, size)


def flutter(count: int, moments: int, largest_px: float, generator: torch.Generator) -> Tensor:
    """Draw the waves of `headroom.data.layers.Layer`, of 30 to 300 pixels and of another strength at each moment."""
    strength = (
        largest_px
        * torch.rand(count, 1, 1, generator=generator)
        * torch.randn(count, moments, 2, generator=generator).clamp(-1, 1)
    )
    number = torch.randn(count, 1, 2, 2, generator=generator) * 0.07
    return torch.cat((strength[..., None], number.expand(-1, moments, -1, -1)), dim=-1)


def _canvas_from_frame(centre: Tensor, angle: Tensor, reach: Tensor) -> Tensor:
    """Invert "scale by `reach`, turn by `angle`, move to `centre`"."""
    cosine, sine = angle.cos() / reach, angle.sin() / reach
    linear = torch.stack((torch.stack((cosine, sine), -1), torch.stack((-sine, cosine), -1)), -2)
    offset = -(linear @ centre[..., None])
    last = torch.tensor([0.0, 0.0, 1.0]).expand(*angle.shape, 1, 3)
    return torch.cat((torch.cat((linear, offset), dim=-1), last), dim=-2)
