"""Sagiri's second stage as a network: a latent prior and the control branch that steers it (Sagiri, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.methods.sagiri.colour_fix import ColourFix
from headroom.methods.sagiri.control import ControlBranch
from headroom.nn.latent.prior import AUTOENCODER_FACTOR, LatentPrior
from headroom.nn.latent.schedule import STEPS, noised, signal_shares
from headroom.nn.latent.settings import COMPACT, STABLE_DIFFUSION_2, LatentPriorSettings


@dataclass(frozen=True, slots=True)
class RefineOptions:
    """How a refiner is used; the training knows none of it.

    Attributes:
        tile_px: Longest side of what the denoiser and the autoencoder see at a time.
        overlap_px: How far two of these overlap.
        dilation: Cells by which the unknown region grows in latents.
        as_released: Whether known latents are held as in the released code; see `sample_masked`.
        colour_fix: How the result's colours follow those of the first stage.
        band_px: Width of the cross-fade around the unknown region, a multiple of 2.
    """

    tile_px: int = 768
    overlap_px: int = 128
    dilation: int = 0
    as_released: bool = False
    colour_fix: ColourFix = "wavelet"
    band_px: int = 16


@dataclass(frozen=True, slots=True)
class RefinerSettings:
    """Numbers of one refiner.

    Attributes:
        prior: Of the latent prior.
        sees_mask: Whether the control branch sees where the unknown region is; the paper's does not.
        options: How it is used.
    """

    prior: LatentPriorSettings = COMPACT
    sees_mask: bool = True
    options: RefineOptions = field(default_factory=RefineOptions)


COMPACT_REFINER = RefinerSettings()
"""On the prior that ships."""

PAPER_REFINER = RefinerSettings(
    prior=STABLE_DIFFUSION_2, sees_mask=False, options=RefineOptions(tile_px=512, overlap_px=128)
)
"""The released network."""


class Trial(NamedTuple):
    """What a refiner makes of pictures whose latents got noise, all N x C x h x w but for the mask.

    Attributes:
        noisy: Latents with noise in them.
        noise: The noise.
        estimate: What the refiner takes for it.
        share: N x 1 x 1 x 1, of the signal in `noisy`.
        unknown: N x 1 x h x w, 1 where the refiner is to be judged, else 0.
    """

    noisy: Tensor
    noise: Tensor
    estimate: Tensor
    share: Tensor
    unknown: Tensor


class Refiner(LatentPrior):
    """A latent prior that a picture steers; only the control branch learns.

    The encoder of the condition is the prior's own: released checkpoints hold a copy of it that nothing ever trained.
    """

    options = RefineOptions()
    draws: int = 1
    """In training, noises that each picture's latents are mixed with."""
    first_stage: Callable[[Tensor], Tensor] | None = None
    """In training, what makes the picture to refine of a photo."""

    def start_control(self, *, sees_mask: bool) -> None:
        """Give the prior a new control branch, which changes nothing yet, and let only that learn."""
        self.requires_grad_(requires_grad=False)
        self.sees_mask = sees_mask
        self.control = ControlBranch(self.denoiser, self.channels + sees_mask)

    def hint(self, condition: Tensor, unknown: Tensor) -> Tensor:
        """Join what the control branch sees beside the noise, N x (C or C + 1) x h x w.

        Args:
            condition: N x C x h x w latents of the picture to refine.
            unknown: N x 1 x h x w.
        """
        return torch.cat((condition, unknown), 1) if self.sees_mask else condition

    def steered_noise(
        self, noisy: Tensor, timestep: Tensor, hint: Tensor, context: Tensor | None = None, strength: float = 1.0
    ) -> Tensor:
        """Estimate the noise in N x C x h x w latents in the light of a hint.

        Args:
            noisy: Latents with noise in them.
            timestep: N, of the schedule's 1000 steps.
            hint: See `hint`.
            context: See `LatentPrior.predict_noise`.
            strength: Weight of the control.
        """
        attended = self.context(len(noisy)) if context is None else context
        control = self.control(noisy, hint, timestep, attended).times(strength)
        return self.predict_noise(noisy, timestep, attended, skips=control.skips, middle=control.middle)

    def to_refine(self, photo: Tensor) -> Tensor:
        """Give what is refined of a photo, N x 3 x H x W code values: itself, unless a first stage was chosen."""
        return photo if self.first_stage is None else self.first_stage(photo)

    def forward(self, truth: Tensor, photo: Tensor, unknown: Tensor) -> Trial:
        """Try the refiner on pictures, by torch's global generator.

        Args:
            truth: N x 3 x H x W code values of what should come out.
            photo: The same of a photo; see `to_refine`.
            unknown: N x 1 x H x W, 1 where content is made up.
        """
        with torch.no_grad():
            condition = self.to_refine(photo).to(truth)
            latents = self.encode(torch.cat((truth, condition))).float()
        masks = F.max_pool2d(unknown, AUTOENCODER_FACTOR).repeat(self.draws, 1, 1, 1)
        clean, hinted = (half.repeat(self.draws, 1, 1, 1) for half in latents.chunk(2))
        # One step from each stretch of the schedule: the mean over a batch varies less than that of free draws.
        count = len(clean)
        stretch = (torch.randperm(count, device=clean.device) + torch.rand(count, device=clean.device)) / count
        timestep = (stretch * STEPS).long().clamp_(max=STEPS - 1)
        noise = torch.randn_like(clean)
        noisy = noised(clean, noise, timestep)
        estimate = self.steered_noise(noisy, timestep, self.hint(hinted, masks), self.read([""] * count))
        return Trial(noisy, noise, estimate, signal_shares().to(noisy)[timestep].view(-1, 1, 1, 1), masks)


def build_refiner(settings: RefinerSettings) -> Refiner:
    """Make a refiner with random weights, whose control changes nothing."""
    refiner = Refiner.of(settings.prior)
    refiner.start_control(sees_mask=settings.sees_mask)
    refiner.options = settings.options
    return refiner
