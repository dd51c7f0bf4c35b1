"""Training examples for `merge`: hand-held brackets of moving scenes, as they are after alignment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.data.brackets_camera import GAMMA, REFERENCE, BracketCameraSettings, Shots, shoot
from headroom.data.brackets_scene import MOMENTS, SceneSettings, draw_scenes
from headroom.data.layers import render_layers
from headroom.data.motion import camera_rotation
from headroom.methods.contract import MergeBatch

_MARGIN_PX = 6


@dataclass(frozen=True, slots=True)
class BracketSettings:
    """How examples are made.

    Attributes:
        scene: Scenes.
        camera: Exposures, noise and depth.
        residual_px: Largest error that the global alignment leaves, uniform along x and y.
        residual_roll_degrees: Standard deviation of the roll that it leaves.
        hidden_chance: Chance, for each frame but the reference, that a part of it lies beyond its border; for a
            quarter of these frames all of it, as after a rejection.
    """

    scene: SceneSettings = field(default_factory=SceneSettings)
    camera: BracketCameraSettings = field(default_factory=BracketCameraSettings)
    residual_px: float = 1.0
    residual_roll_degrees: float = 0.15
    hidden_chance: float = 0.08


@dataclass(frozen=True, slots=True)
class BracketData:
    """Batches that depend on nothing but the seed and their index.

    Attributes:
        panoramas: 3 x H x W linear radiance by name.
        settings: How examples are made.
        seed: Seed of the whole sequence.
    """

    panoramas: Mapping[str, Tensor]
    settings: BracketSettings = field(default_factory=BracketSettings)
    seed: int = 0

    def batch(self, index: int, count: int, side_px: int) -> MergeBatch:
        """Make a batch of `count` square examples; `side_px` is a multiple of 16."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + index)
        low, high = self.settings.scene.focal_px
        focal_px = low * (high / low) ** torch.rand(count, generator=generator)
        frame_px = (side_px, side_px)
        layers = draw_scenes(self.panoramas, focal_px, frame_px, _MARGIN_PX, self.settings.scene, generator)
        resampled_px = _but_reference(torch.rand(count, MOMENTS, 2, generator=generator) - 0.5)
        camera = camera_rotation(self._angles(resampled_px, focal_px, generator), focal_px)
        light = render_layers(layers, camera, frame_px)
        shots = shoot(light, self.settings.camera, generator)
        linear = _resample(shots.codes**GAMMA, resampled_px)
        linear = self._hide(linear, shots.exposure, generator)
        return to_batch(linear, shots, (light[:, REFERENCE] * shots.gain[:, 0]).clamp(0, 1))

    def _angles(self, resampled_px: Tensor, focal_px: Tensor, generator: torch.Generator) -> Tensor:
        """Yaw, pitch and roll, N x T x 3, that leave the residual error once frames are moved back."""
        count = len(focal_px)
        error = (torch.rand(count, MOMENTS, 2, generator=generator) * 2 - 1) * self.settings.residual_px
        shift = (resampled_px + _but_reference(error)) / focal_px[:, None, None]
        roll = torch.randn(count, MOMENTS, 1, generator=generator) * self.settings.residual_roll_degrees
        # Positions grow downwards, pitch upwards.
        return torch.cat((shift * torch.tensor([1.0, -1.0]), _but_reference(roll).deg2rad()), dim=-1)

    def _hide(self, linear: Tensor, exposure: Tensor, generator: torch.Generator) -> Tensor:
        """Put the reference's light, as each frame would have recorded it, where a frame shows nothing."""
        count, side = linear.shape[0], linear.shape[-1]
        hidden = torch.rand(count, MOMENTS, generator=generator) < self.settings.hidden_chance
        hidden[:, REFERENCE] = False
        normal = torch.randn(count, MOMENTS, 2, 1, 1, generator=generator)
        position = torch.linspace(-1, 1, side)
        across = normal[:, :, 0] * position + normal[:, :, 1] * position[:, None]
        limit = torch.rand(count, MOMENTS, 1, 1, generator=generator) * 1.2 - 0.3
        beyond = (across > limit * normal.abs().sum(2)) & hidden[:, :, None, None]
        filled = reference_as_recorded(linear, exposure)
        return torch.where(beyond[:, :, None], filled, linear)


def reference_as_recorded(linear: Tensor, exposure: Tensor) -> Tensor:
    """Give the reference's light as every frame would have recorded it: N x T x 3 x H x W, own full scale = 1."""
    ratio = exposure / exposure[:, REFERENCE, None]
    return (linear[:, REFERENCE, None] * ratio[:, :, None, None, None]).clamp(max=1)


def to_batch(linear: Tensor, shots: Shots, truth: Tensor) -> MergeBatch:
    """Turn aligned frames, N x T x 3 x H x W with 1.0 = own full scale, into what a method is trained on."""
    return MergeBatch(
        encoded=linear ** (1 / GAMMA),
        linear=linear / shots.exposure[:, :, None, None, None],
        exposure=shots.exposure,
        reference=torch.full((len(linear),), REFERENCE),
        truth=truth,
    )


def _but_reference(values: Tensor) -> Tensor:
    """Set what belongs to the reference to 0, in place."""
    values[:, REFERENCE] = 0
    return values


def _resample(linear: Tensor, shift_px: Tensor) -> Tensor:
    """Move N x T x 3 x H x W frames by N x T x 2 fractions of a pixel, as warping them into place does."""
    height, width = linear.shape[-2:]
    y, x = torch.arange(height) + 0.5, torch.arange(width) + 0.5
    moved = []
    for moment in range(MOMENTS):
        if moment == REFERENCE:
            moved.append(linear[:, moment])
            continue
        across = (x - shift_px[:, moment, :1])[:, None].expand(-1, height, -1) * (2 / width) - 1
        down = (y - shift_px[:, moment, 1:])[:, :, None].expand(-1, -1, width) * (2 / height) - 1
        grid = torch.stack((across, down), dim=-1)
        frame = F.grid_sample(linear[:, moment], grid, mode="bicubic", padding_mode="reflection", align_corners=False)
        moved.append(frame.clamp(0, 1))
    return torch.stack(moved, dim=1)
