"""Training examples of a method that draws pictures: panoramas as photos of any exposure show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from headroom.colour.exposure import display_codes, key_gain
from headroom.colour.transfer import encode
from headroom.data.camera import CameraSettings, balance
from headroom.data.views import draw_view
from headroom.methods.contract import GenerateBatch


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """How pictures are made.

    Attributes:
        displayed_chance: Chance of a picture that is well exposed and gently tone-mapped, for a screen; the others are
            linear light, clipped.
        exposure_ev: Range of the exposure of those over the well-exposed one, uniform.
        swapped_chance: Chance that red, green and blue change places. Few scenes hold all colours; so an autoencoder
            comes to know them all the same.
        field_of_view_degrees: Range of the horizontal field of view.
        pitch_degrees: Range of the pitch.
        roll_degrees: Standard deviation of the roll.
        camera: Its colour balance.
    """

    displayed_chance: float = 0.5
    exposure_ev: tuple[float, float] = (-3.0, 2.0)
    swapped_chance: float = 0.0
    field_of_view_degrees: tuple[float, float] = (60.0, 105.0)
    pitch_degrees: tuple[float, float] = (-25.0, 40.0)
    roll_degrees: float = 4.0
    camera: CameraSettings = field(default_factory=CameraSettings)


@dataclass(frozen=True, slots=True)
class PictureData:
    """Pictures that depend on nothing but the seed and their number.

    Attributes:
        panoramas: 3 x H x W linear radiance by name.
        settings: How pictures are made.
        seed: Seed of the whole sequence.
    """

    panoramas: Mapping[str, Tensor]
    settings: PictureSettings = field(default_factory=PictureSettings)
    seed: int = 0

    def batch(self, index: int, count: int, side_px: int) -> GenerateBatch:
        """Make pictures `index * count` and following."""
        return GenerateBatch(torch.cat([self.picture(index * count + i, side_px) for i in range(count)]))

    def picture(self, number: int, side_px: int) -> Tensor:
        """Make one square picture, 1 x 3 x S x S sRGB code values; half of them are mirrored."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        radiance = draw_view(self.panoramas, self.settings, side_px, generator)
        codes = self._photograph(balance(radiance, self.settings.camera, generator), generator)
        if torch.rand(1, generator=generator) < self.settings.swapped_chance:
            codes = codes[:, torch.randperm(3, generator=generator)]
        return codes.flip(3) if torch.rand(1, generator=generator) < 0.5 else codes

    def _photograph(self, radiance: Tensor, generator: torch.Generator) -> Tensor:
        """Show 1 x 3 x H x W light on a screen, or expose and clip it."""
        displayed, exposure = torch.rand(2, generator=generator).tolist()
        light = radiance[0].permute(1, 2, 0).numpy()
        light = light * np.float32(key_gain(light))
        low, high = self.settings.exposure_ev
        if displayed < self.settings.displayed_chance:
            codes = display_codes(light)
        else:
            codes = encode(np.minimum(light * np.float32(2 ** (low + (high - low) * exposure)), 1), "srgb")
        return torch.from_numpy(np.ascontiguousarray(codes.transpose(2, 0, 1)))[None]
