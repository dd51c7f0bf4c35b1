"""Training examples of exposures: the same view at three, aligned, by one camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from headroom.data.camera import CameraSettings, add_noise, balance, store
from headroom.data.response import apply_response, sample_responses
from headroom.data.views import draw_view
from headroom.methods.contract import ExposureBatch

Photo = Literal["brightest", "darkest", "either"]
"""Which of the exposures stands for a user's photo."""


@dataclass(frozen=True, slots=True)
class ExposureSettings:
    """How exposures are made (LEDiff, section 3; its camera responses and steps are not published).

    Attributes:
        photo: Which exposure stands for a user's photo: the brightest has its highlights to be found, the darkest its
            shadows.
        step_ev: Range of the step between neighbours, uniform.
        clipped_share: Range of the share of a brightest photo's pixels with a clipped channel; log-uniform.
        dark_clipped_share: The same of a darkest photo.
        field_of_view_degrees: Range of the horizontal field of view.
        pitch_degrees: Range of the pitch.
        roll_degrees: Standard deviation of the roll.
        camera: Its colour balance and response for all three, and the noise and the compression of the photo; the
            others are only quantised.
    """

    photo: Photo = "brightest"
    step_ev: tuple[float, float] = (2.0, 3.0)
    clipped_share: tuple[float, float] = (0.02, 0.5)
    dark_clipped_share: tuple[float, float] = (0.001, 0.1)
    field_of_view_degrees: tuple[float, float] = (60.0, 105.0)
    pitch_degrees: tuple[float, float] = (-20.0, 35.0)
    roll_degrees: float = 4.0
    camera: CameraSettings = field(default_factory=CameraSettings)


@dataclass(frozen=True, slots=True)
class ExposureData:
    """Exposures that depend on nothing but the seed and their number.

    Attributes:
        panoramas: 3 x H x W linear radiance by name.
        settings: How exposures are made.
        seed: Seed of the whole sequence.
    """

    panoramas: Mapping[str, Tensor]
    settings: ExposureSettings = field(default_factory=ExposureSettings)
    seed: int = 0

    def batch(self, index: int, count: int, side_px: int) -> ExposureBatch:
        """Make the examples `index * count` and following."""
        examples = [self.example(index * count + i, side_px) for i in range(count)]
        return ExposureBatch(*map(torch.cat, zip(*examples, strict=True)))

    def example(self, number: int, side_px: int) -> ExposureBatch:
        """Make a batch of one square view, with sides that are multiples of 16; half of them are mirrored."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        radiance = draw_view(self.panoramas, self.settings, side_px, generator)
        scene = balance(radiance, self.settings.camera, generator)
        if torch.rand(1, generator=generator) < 0.5:
            scene = scene.flip(3)
        return self._exposed(scene, generator)

    def _exposed(self, scene: Tensor, generator: torch.Generator) -> ExposureBatch:
        """Expose 1 x 3 x H x W light three times."""
        settings = self.settings
        bright = settings.photo == "brightest"
        if settings.photo == "either":
            bright = bool(torch.rand(1, generator=generator) < 0.5)
        photo = 2 if bright else 0
        share = _log_uniform(settings.clipped_share if bright else settings.dark_clipped_share, generator)
        low, high = settings.step_ev
        step_ev = low + (high - low) * torch.rand(1, generator=generator)
        exposure = torch.exp2(step_ev * torch.tensor([-1.0, 0.0, 1.0]))
        truth = scene / (_clip_point(scene, share) * exposure[photo])
        light = (truth * exposure.view(-1, 1, 1, 1)).clamp(max=2.0**20)
        light[photo] = add_noise(light[photo, None], settings.camera, generator)[0]
        codes = self._developed(light.clamp(0, 1), generator)
        codes[photo] = store(codes[photo, None], settings.camera, generator)[0]
        codes = (codes * 255).round() / 255
        return ExposureBatch(codes[None], exposure[None], truth, torch.tensor([photo]))

    def _developed(self, light: Tensor, generator: torch.Generator) -> Tensor:
        """Send all exposures of a sensor's light, 3 x 3 x H x W in [0, 1], through the same response curve."""
        families = self.settings.camera.families
        chances = torch.tensor([chance for _, chance in families])
        drawn = int(torch.multinomial(chances, 1, generator=generator))
        response = sample_responses([families[drawn][0]], generator)
        return apply_response(light, response.expand(len(light), -1))


def _log_uniform(bounds: tuple[float, float], generator: torch.Generator) -> float:
    low, high = torch.tensor(bounds).log().tolist()
    return float(torch.exp(low + (high - low) * torch.rand(1, generator=generator)))


def _clip_point(scene: Tensor, share: float) -> Tensor:
    """Give the light of the brightest channel that a share of the pixels reaches, of 1 x 3 x H x W."""
    brightest = scene.amax(1).flatten()
    rank = max(1, round((1 - share) * len(brightest)))
    return brightest.kthvalue(rank).values.clamp_min(1e-8)
