"""Flat layers that stand one before another, and how frames see them.

Positions in a frame are in pixels from its centre, x right, y down. A canvas reaches from -1 to 1 on both axes. Every
placement is a 3 x 3 homography in column vectors (x, y, 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Layer(NamedTuple):
    """One layer of M scenes, over T moments.

    Attributes:
        scene: M, the scenes that have it, in ascending order.
        canvas: M x 4 x h x w: linear light, premultiplied by cover, and the cover in [0, 1]. Light without cover adds
            itself to what lies behind, as a glow does.
        placement: M x T x 3 x 3, from positions in a level frame to the canvas.
        wave: M x T x 2 x 3: for x and for y, a displacement in pixels and the wave numbers, in radians per pixel, of
            the sine that it follows; what makes leaves, cloth and limbs not rigid.
    """

    scene: Tensor
    canvas: Tensor
    placement: Tensor
    wave: Tensor


def fractal(count: int, side: int, persistence: Tensor, generator: torch.Generator) -> Tensor:
    """Draw smooth random fields: octaves from 4 cells a side on, each `persistence` times as strong as the one before.

    Args:
        count: How many fields.
        side: Their side.
        persistence: `count` factors below 1; 0.3 looks like a cloud, 0.7 like rough stone.
        generator: Source of randomness.

    Returns:
        `count` x 1 x side x side with a standard deviation near 1.
    """
    strength = persistence.view(-1, 1, 1, 1)
    noise, power, cells, weight = torch.zeros(count, 1, 4, 4), torch.zeros(1), 4, torch.ones(count, 1, 1, 1)
    while True:
        noise = noise + weight * torch.randn(count, 1, cells, cells, generator=generator)
        power = power + weight**2
        if cells >= side:
            break
        cells, weight = min(2 * cells, side), weight * strength
        mode = "bicubic" if cells <= 64 else "bilinear"
        noise = F.interpolate(noise, (cells, cells), mode=mode, align_corners=False)
    return noise / power.sqrt()


def outlines(count: int, side: int, generator: torch.Generator) -> Tensor:
    """Draw covers with natural outlines: smooth like a leaf or ragged like a tree, slender like a person or round.

    Returns:
        `count` x 1 x side x side in [0, 1], 0 along the border.
    """

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator)

    position = torch.linspace(-1, 1, side)
    x, y = position.view(1, 1, 1, -1), position.view(1, 1, -1, 1)
    body = ((x / uniform(0.3, 0.9)) ** 2 + y**2).sqrt()
    # A second, smaller body makes heads, wheels and crowns.
    head = ((x - uniform(-0.3, 0.3)) ** 2 + (y - uniform(-0.7, 0.7)) ** 2).sqrt() + uniform(0.2, 0.6)
    rough = fractal(count, side, uniform(0.2, 0.7).flatten(), generator) * uniform(0.03, 0.22)
    distance = torch.minimum(body, head) + rough - 0.75
    inside = torch.sigmoid(-distance / uniform(0.01, 0.06) ** 1.3)
    rim = ((1 - x.abs()) * (1 - y.abs()) * 20).clamp(0, 1)
    return inside * rim


def glows(count: int, side: int, generator: torch.Generator) -> Tensor:
    """Draw lamps: a bright core in a faint halo; `count` x 1 x side x side, 1 at most, 0 along the border."""
    position = torch.linspace(-1, 1, side)
    squared = position.view(-1, 1) ** 2 + position**2
    width = 0.05 + 0.2 * torch.rand(count, 1, 1, 1, generator=generator)
    halo = (1 - squared).clamp_min(0) ** 4
    return 0.9 * torch.exp(-squared / (2 * width**2)) * halo + 0.1 * halo


def render_layers(layers: Sequence[Layer], camera: Tensor, size: tuple[int, int]) -> Tensor:
    """See the layers, from back to front, through a camera that moves.

    Args:
        layers: The first is the background of every scene.
        camera: N x T x 3 x 3, from positions in the frame of a moment to positions in a level frame.
        size: Height and width of the frames in pixels.

    Returns:
        N x T x 3 x H x W linear light.
    """
    return torch.stack([_see(layers, camera[:, moment], moment, size) for moment in range(camera.shape[1])], dim=1)


def _see(layers: Sequence[Layer], camera: Tensor, moment: int, size: tuple[int, int]) -> Tensor:
    """Give one frame of each scene, N x 3 x H x W."""
    height, width = size
    across, down = torch.arange(width) + 0.5 - width / 2, torch.arange(height) + 0.5 - height / 2
    x, y = _apply(camera, across.view(1, 1, -1), down.view(1, -1, 1))
    light = torch.zeros(len(camera), 3, height, width)
    for layer in layers:
        seen = _look_up(layer, moment, x[layer.scene], y[layer.scene])
        light[layer.scene] = torch.addcmul(seen[:, :3], light[layer.scene], 1 - seen[:, 3:])
    return light


def _look_up(layer: Layer, moment: int, x: Tensor, y: Tensor) -> Tensor:
    """Sample a layer at M x H x W level positions: M x 4 x H x W."""
    (strength_x, a, b), (strength_y, c, d) = layer.wave[:, moment, :, :, None, None].permute(1, 2, 0, 3, 4)
    waved_x = x + strength_x * torch.sin(a * x + b * y)
    waved_y = y + strength_y * torch.sin(c * x + d * y)
    grid = torch.stack(_apply(layer.placement[:, moment], waved_x, waved_y), dim=-1)
    return F.grid_sample(layer.canvas, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _apply(matrix: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Send positions, each M x H x W or broadcast to it, through M homographies."""
    (a, b, c), (d, e, f), (g, h, i) = matrix[..., None, None].permute(1, 2, 0, 3, 4)
    scale = 1 / (g * x + h * y + i)
    return (a * x + b * y + c) * scale, (d * x + e * y + f) * scale
