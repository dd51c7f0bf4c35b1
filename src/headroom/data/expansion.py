"""Training examples for `expand`: photos that a virtual camera took of panoramas, with the light it could not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.colour.code_ends import BLOWN_CODE
from headroom.data.camera import CameraSettings, Shot, photograph
from headroom.data.views import View, render_views, sample_views
from headroom.methods.contract import ExpandBatch
from headroom.nn.srgb import srgb_light

_LUMINANCE = (0.2126, 0.7152, 0.0722)
_DARK_CODE = 16 / 255
_FLOOR = 2.0**-14
_BLOCK_PX = 8


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """How panoramas are looked at.

    Attributes:
        field_of_view_degrees: Range of the horizontal field of view.
        pitch_degrees: Range of the pitch.
        roll_degrees: Standard deviation of the roll.
        double_exposure_chance: Chance that a batch adds the light of a second view to each, dimmed by up to 4 stops:
            as a reflection in a window does, and a cheap way to more scenes.
        highlight_contrast: Range of the power to which light above a scene's median is raised. Pixels of a 1k
            panorama average lamps with the wall around them; real lamps are brighter than what it holds.
    """

    field_of_view_degrees: tuple[float, float] = (40.0, 105.0)
    pitch_degrees: tuple[float, float] = (-20.0, 35.0)
    roll_degrees: float = 4.0
    double_exposure_chance: float = 0.3
    highlight_contrast: tuple[float, float] = (1.0, 1.35)


@dataclass(frozen=True, slots=True)
class ExpansionData:
    """Batches that depend on nothing but the seed and their index.

    Attributes:
        panoramas: 3 x H x W linear radiance by name.
        views: How they are looked at.
        camera: Camera of most batches.
        deep_clipped_share: Upper bound of the clipped share in the others, which clip deep.
        deep_chance: Chance of such a batch.
        seed: Seed of the whole sequence.
    """

    panoramas: Mapping[str, Tensor]
    views: ViewSettings = field(default_factory=ViewSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    deep_clipped_share: float = 0.5
    deep_chance: float = 0.5
    seed: int = 0

    def batch(self, index: int, count: int, side_px: int) -> ExpandBatch:
        """Make a batch of `count` square photos; every view is used twice, once mirrored, by two cameras."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + index)
        scenes = self._scenes((count + 1) // 2, side_px, generator)
        deep = bool(torch.rand(1, generator=generator) < self.deep_chance)
        low, high = self.camera.clipped_share
        camera = replace(self.camera, clipped_share=(low, self.deep_clipped_share if deep else high))
        mirrored = torch.cat((scenes, scenes.flip(3)))[:count]
        return to_batch(photograph(mirrored, camera, generator))

    def _scenes(self, count: int, side_px: int, generator: torch.Generator) -> Tensor:
        names = list(self.panoramas)
        chosen = torch.randint(len(names), (count,), generator=generator).tolist()
        view = sample_views(
            count,
            generator,
            field_of_view_degrees=self.views.field_of_view_degrees,
            pitch_degrees=self.views.pitch_degrees,
            roll_degrees=self.views.roll_degrees,
        )
        size = (side_px, side_px)
        one_by_one = (View(*(angle[i : i + 1] for angle in view)) for i in range(count))
        scenes = torch.cat(
            [render_views(self.panoramas[names[i]], one, size) for i, one in zip(chosen, one_by_one, strict=True)]
        )
        if torch.rand(1, generator=generator) < self.views.double_exposure_chance:
            normalised = scenes / median(scenes)
            dimming = torch.exp2(-4 * torch.rand(count, 1, 1, 1, generator=generator))
            scenes = normalised + dimming * normalised.roll(1, 0)
        low, high = self.views.highlight_contrast
        if high == 1:
            return scenes
        power = low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator)
        luminance = torch.exp2(log2_luminance(scenes))[:, None]
        return scenes * (luminance / median(scenes)).clamp_min(1) ** (power - 1)


def median(scenes: Tensor) -> Tensor:
    """Give the median radiance of each scene: N x 1 x 1 x 1."""
    return scenes.flatten(1).median(1).values.clamp_min(1e-5).view(-1, 1, 1, 1)


def to_batch(shot: Shot) -> ExpandBatch:
    """Turn shots into examples: linearised as a user's untagged photo is, the truth in the photo's own scale.

    The truth is divided by the median ratio of its luminance to the photo's over well-exposed pixels, because nothing
    in a photo tells its absolute scale.
    """
    linear = srgb_light(shot.codes)
    clipped = _clipped(shot.codes)
    measured = (clipped.amax(1) == 0) & (shot.codes.amin(1) >= _DARK_CODE)
    ratio = log2_luminance(shot.scene) - log2_luminance(linear)
    median = ratio.masked_fill(~measured, torch.nan).flatten(1).nanmedian(1).values.nan_to_num(0.0)
    return ExpandBatch(shot.codes, linear, clipped, shot.scene * torch.exp2(-median).view(-1, 1, 1, 1))


def log2_luminance(linear: Tensor) -> Tensor:
    """Give N x H x W log2 of BT.709 luminance, floored at 2^-14."""
    weights = torch.tensor(_LUMINANCE, device=linear.device)
    return torch.einsum("nchw,c->nhw", linear, weights).clamp_min(_FLOOR).log2()


def _clipped(codes: Tensor) -> Tensor:
    """Mark as 0 and 1 what `restore.clipping` calls clipped near a top code of a compressed photo.

    Burnt-out areas below the top, which come from photos that were edited, a camera does not make.
    """
    blocks = F.max_pool2d((codes >= 1).float(), _BLOCK_PX, ceil_mode=True)
    near = F.interpolate(F.max_pool2d(blocks, 3, stride=1, padding=1), scale_factor=float(_BLOCK_PX), mode="nearest")
    return (codes >= BLOWN_CODE - 1e-4) * near[:, :, : codes.shape[2], : codes.shape[3]]
