"""Training examples for `enhance`: badly exposed photos of panoramas, each with the picture it should have been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from headroom.colour.exposure import display_codes, key_gain
from headroom.data.camera import CameraSettings, balance, record
from headroom.data.views import draw_view
from headroom.methods.contract import EnhanceBatch
from headroom.restore.unknown import unknown_region


@dataclass(frozen=True, slots=True)
class EnhancementSettings:
    """How examples are made.

    Attributes:
        error_ev: Range of the error of the exposure, uniform.
        field_of_view_degrees: Range of the horizontal field of view.
        pitch_degrees: Range of the pitch.
        roll_degrees: Standard deviation of the roll.
        camera: Everything about the camera but its exposure; its photos are JPEGs.
    """

    error_ev: tuple[float, float] = (-3.5, 3.0)
    field_of_view_degrees: tuple[float, float] = (60.0, 105.0)
    pitch_degrees: tuple[float, float] = (-20.0, 35.0)
    roll_degrees: float = 4.0
    camera: CameraSettings = field(default_factory=lambda: CameraSettings(jpeg_chance=1.0))


@dataclass(frozen=True, slots=True)
class EnhancementData:
    """Examples that depend on nothing but the seed and their number.

    Attributes:
        panoramas: 3 x H x W linear radiance by name.
        settings: How examples are made.
        seed: Seed of the whole sequence.
    """

    panoramas: Mapping[str, Tensor]
    settings: EnhancementSettings = field(default_factory=EnhancementSettings)
    seed: int = 0

    def batch(self, index: int, count: int, side_px: int) -> EnhanceBatch:
        """Make examples `index * count` and following; `side_px` is a multiple of 16."""
        examples = [self.example(index * count + i, side_px) for i in range(count)]
        return EnhanceBatch(*map(torch.cat, zip(*examples, strict=True)))

    def example(self, number: int, side_px: int) -> EnhanceBatch:
        """Make one square example, as a batch of one; half of them are mirrored."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        radiance = draw_view(self.panoramas, self.settings, side_px, generator)
        mirrored = radiance.flip(3) if torch.rand(1, generator=generator) < 0.5 else radiance
        light = well_exposed(mirrored)
        low, high = self.settings.error_ev
        error_ev = low + (high - low) * torch.rand(1, generator=generator)
        exposed = balance(light, self.settings.camera, generator) * torch.exp2(error_ev)
        codes = record(exposed, self.settings.camera, generator).codes
        return EnhanceBatch(codes, unknown_region(codes), to_display(light), error_ev)


def well_exposed(radiance: Tensor) -> Tensor:
    """Scale N x 3 x H x W light of any unit so that the log-average luminance of each view is the key."""
    gains = [key_gain(view) for view in radiance.permute(0, 2, 3, 1).numpy()]
    return radiance * torch.tensor(gains).view(-1, 1, 1, 1)


def to_display(light: Tensor) -> Tensor:
    """Tone-map N x 3 x H x W well-exposed light gently: sRGB code values in [0, 1]."""
    codes = display_codes(light.permute(0, 2, 3, 1).numpy())
    return torch.from_numpy(np.ascontiguousarray(codes.transpose(0, 3, 1, 2)))
