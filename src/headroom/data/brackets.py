"""Training examples for `merge`: hand-held brackets of moving scenes, as they are after alignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from headroom.data.brackets_camera import GAMMA, REFERENCE, BracketCameraSettings, Shots, shoot
from headroom.data.brackets_scene import MOMENTS, SceneSettings, draw_scenes
from headroom.data.layers import render_layers
from headroom.data.motion import camera_rotation
from headroom.image import FloatImage
from headroom.methods.contract import MergeBatch
from headroom.restore.flow import along, local_flow
from headroom.restore.guide import guide_pair
from headroom.restore.homography import warp_guide
from headroom.restore.warp import Places, pixel_places, project, warp

_MARGIN_PX = 6


@dataclass(frozen=True, slots=True)
class BracketSettings:
    """How examples are made.

    Attributes:
        scene: Scenes.
        camera: Exposures, noise and depth.
        tripod_chance: Chance that the camera stands still, so that nothing is resampled but what moves by itself.
        residual_px: Largest error that the global alignment leaves, uniform along x and y.
        residual_roll_degrees: Standard deviation of the roll that it leaves.
        hidden_chance: Chance, for each frame but the reference, that a part of it, at times most, lies beyond its
            border; a frame that was rejected looks the same.
    """

    scene: SceneSettings = field(default_factory=SceneSettings)
    camera: BracketCameraSettings = field(default_factory=BracketCameraSettings)
    tripod_chance: float = 0.1
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
        shift_px, angles = self._camera_motion(focal_px, generator)
        light = render_layers(layers, camera_rotation(angles, focal_px), frame_px)
        shots = shoot(light, self.settings.camera, generator)
        linear = _align(shots.codes**GAMMA, shots.exposure, shift_px)
        linear = self._hide(linear, shots.exposure, generator)
        return to_batch(linear, shots, (light[:, REFERENCE] * shots.gain[:, 0]).clamp(0, 1))

    def _camera_motion(self, focal_px: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw how the camera moved: as alignment believes, N x T x 2 px, and truly, N x T x 3 angles in radians.

        Whole pixels of the motion change nothing in a patch, so they are left out.
        """
        count = len(focal_px)
        moves = torch.rand(count, 1, 1, generator=generator) >= self.settings.tripod_chance
        moves = moves & (torch.arange(MOMENTS) != REFERENCE)[:, None]
        believed = (torch.rand(count, MOMENTS, 2, generator=generator) - 0.5) * moves
        error = (torch.rand(count, MOMENTS, 2, generator=generator) * 2 - 1) * self.settings.residual_px
        roll = torch.randn(count, MOMENTS, 1, generator=generator) * self.settings.residual_roll_degrees
        shift = (believed + error * moves) / focal_px[:, None, None]
        # Positions grow downwards, pitch upwards.
        return believed, torch.cat((shift * torch.tensor([1.0, -1.0]), roll.deg2rad() * moves), dim=-1)

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


def _align(linear: Tensor, exposure: Tensor, shift_px: Tensor) -> Tensor:
    """Bring frames to their references as in use, but with the global motion told instead of estimated."""
    frames = linear.permute(0, 1, 3, 4, 2).contiguous().numpy()
    for shots, times, shifts in zip(frames, exposure.tolist(), shift_px.tolist(), strict=True):
        for moment in range(MOMENTS):
            if moment != REFERENCE:
                ratio = times[moment] / times[REFERENCE]
                shots[moment] = _fetch(shots[moment], shots[REFERENCE], ratio, shifts[moment])
    return torch.from_numpy(frames).permute(0, 1, 4, 2, 3).clamp(0, 1)


def _fetch(frame: FloatImage, reference: FloatImage, exposure_ratio: float, shift_px: Sequence[float]) -> FloatImage:
    """Follow what moved by itself, then the whole frame, in one interpolation; see `headroom.restore.align`."""
    homography = np.array([[1, 0, -shift_px[0]], [0, 1, -shift_px[1]], [0, 0, 1]])
    theirs, ours = guide_pair(frame, reference, exposure_ratio)
    flow = local_flow(warp_guide(theirs, homography), ours)
    motion = flow.motion * flow.used[..., None]

    def source_of(rows: slice, columns: slice) -> Places:
        return project(homography, along(motion[rows, columns], pixel_places(rows, columns)))

    moved, _ = warp(frame, source_of)
    return moved
