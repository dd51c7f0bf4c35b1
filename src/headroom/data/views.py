"""Perspective views of equirectangular panoramas.

A panorama is 3 x H x W, W = 2 H, linear. Its centre column looks along yaw 0, its top row straight up. Angles are in
radians, right-handed: yaw turns right, pitch looks up, roll turns the camera clockwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

_SUPERSAMPLE = 2  # A wide view of 256 px is coarser than a panorama of 1024 x 512 in its middle.


class View(NamedTuple):
    """Where N virtual cameras look.

    Attributes:
        yaw: N, radians.
        pitch: N, radians.
        roll: N, radians.
        field_of_view: N, horizontal angle in radians, below pi.
    """

    yaw: Tensor
    pitch: Tensor
    roll: Tensor
    field_of_view: Tensor


def sample_views(
    count: int,
    generator: torch.Generator,
    *,
    field_of_view_degrees: tuple[float, float] = (40.0, 100.0),
    pitch_degrees: tuple[float, float] = (-15.0, 30.0),
    roll_degrees: float = 4.0,
) -> View:
    """Draw cameras as photographers hold them: any heading, near the horizon, almost level.

    Args:
        count: How many.
        generator: Source of randomness.
        field_of_view_degrees: Range of the horizontal field of view, uniform.
        pitch_degrees: Range of the pitch, uniform.
        roll_degrees: Standard deviation of the roll.
    """

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    return View(
        yaw=uniform(-math.pi, math.pi),
        pitch=torch.deg2rad(uniform(*pitch_degrees)),
        roll=torch.deg2rad(roll_degrees * torch.randn(count, generator=generator)),
        field_of_view=torch.deg2rad(uniform(*field_of_view_degrees)),
    )


class Cameras(Protocol):
    """Settings of how cameras are held; see `sample_views`."""

    @property
    def field_of_view_degrees(self) -> tuple[float, float]:
        """Range of the horizontal field of view."""
        ...

    @property
    def pitch_degrees(self) -> tuple[float, float]:
        """Range of the pitch."""
        ...

    @property
    def roll_degrees(self) -> float:
        """Standard deviation of the roll."""
        ...


def draw_view(panoramas: Mapping[str, Tensor], cameras: Cameras, side_px: int, generator: torch.Generator) -> Tensor:
    """Draw a square view of any of some 3 x H x W panoramas: 1 x 3 x S x S linear radiance."""
    names = list(panoramas)
    name = names[int(torch.randint(len(names), (1,), generator=generator))]
    view = sample_views(
        1,
        generator,
        field_of_view_degrees=cameras.field_of_view_degrees,
        pitch_degrees=cameras.pitch_degrees,
        roll_degrees=cameras.roll_degrees,
    )
    return render_views(panoramas[name], view, (side_px, side_px), supersample=_SUPERSAMPLE)


def view_rays(view: View, height: int, width: int) -> Tensor:
    """Give the unit direction that each pixel centre sees: N x H x W x 3, x right, y up, z ahead at yaw 0."""
    device = view.yaw.device
    half = torch.tan(view.field_of_view / 2).view(-1, 1, 1)
    x = ((torch.arange(width, device=device) + 0.5) / width * 2 - 1).view(1, 1, -1) * half
    y = (1 - (torch.arange(height, device=device) + 0.5) / height * 2).view(1, -1, 1) * half * (height / width)
    ahead = torch.ones_like(x + y)
    rays = torch.stack((x * ahead, y * ahead, ahead), dim=-1)
    rays = rays / rays.norm(dim=-1, keepdim=True)
    return torch.einsum("nij,nhwj->nhwi", _rotation(view), rays)


def render_views(panorama: Tensor, view: View, size: tuple[int, int], *, supersample: int = 1) -> Tensor:
    """Look at a panorama through perspective cameras.

    Args:
        panorama: 3 x H x W linear radiance, or N x 3 x H x W for one panorama a view.
        view: N cameras.
        size: Height and width of each view in pixels.
        supersample: Samples along each side of a pixel; averaged in linear light, so that small lamps keep their
            energy when the view is coarser than the panorama.

    Returns:
        N x 3 x height x width linear radiance.
    """
    height, width = size[0] * supersample, size[1] * supersample
    rays = view_rays(view, height, width)
    longitude = torch.atan2(rays[..., 0], rays[..., 2])
    latitude = torch.asin(rays[..., 1].clamp(-1, 1))
    source = panorama.expand(rays.shape[0], -1, -1, -1) if panorama.dim() == 3 else panorama
    wrapped = F.pad(source, (1, 1, 0, 0), mode="circular")
    columns = source.shape[-1]
    grid = torch.stack((longitude / math.pi * columns / (columns + 2), -latitude / (math.pi / 2)), dim=-1)
    sampled = F.grid_sample(wrapped, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return F.avg_pool2d(sampled, supersample) if supersample > 1 else sampled


def _rotation(view: View) -> Tensor:
    """Camera-to-world rotation, N x 3 x 3: roll first, then pitch, then yaw."""
    zero, one = torch.zeros_like(view.yaw), torch.ones_like(view.yaw)

    def matrix(*rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)

    cosine, sine = torch.cos(view.yaw), torch.sin(view.yaw)
    yaw = matrix((cosine, zero, sine), (zero, one, zero), (-sine, zero, cosine))
    cosine, sine = torch.cos(view.pitch), torch.sin(view.pitch)
    pitch = matrix((one, zero, zero), (zero, cosine, sine), (zero, -sine, cosine))
    cosine, sine = torch.cos(view.roll), torch.sin(view.roll)
    roll = matrix((cosine, sine, zero), (-sine, cosine, zero), (zero, zero, one))
    return yaw @ pitch @ roll
