"""The latent prior as it is trained: first its autoencoder, then its denoiser.

Source: Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models", sections 3.1 and 3.2.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.schedule import STEPS, noised

Stage = Literal["autoencoder", "denoiser"]

_MEMORY = 0.99
"""Weight of the old in the running mean and deviation of latents."""


class Autoencoded(NamedTuple):
    """What comes back from latents.

    Attributes:
        pictures: N x 3 x H x W code values.
        latents: N x C x h x w, the mean of the autoencoder's own.
        divergence: Mean of the latents' divergence from a normal distribution, in nats.
    """

    pictures: Tensor
    latents: Tensor
    divergence: Tensor


class Denoised(NamedTuple):
    """What the denoiser makes of noisy latents, both N x C x h x w.

    Attributes:
        estimate: The noise that it sees.
        noise: The noise that is there.
    """

    estimate: Tensor
    noise: Tensor


class TrainedPrior(LatentPrior):
    """A latent prior in training."""

    stage: Stage = "autoencoder"
    draws: int = 1

    def train_stage(self, stage: Stage, draws: int) -> None:
        """Choose what is trained.

        Args:
            stage: The part that learns; the other one stays as it is.
            draws: How many noises each picture's latents are mixed with, since encoding costs as much as a step.
        """
        self.stage, self.draws = stage, draws
        self.autoencoder.requires_grad_(stage == "autoencoder")
        self.denoiser.requires_grad_(stage == "denoiser")
        if self.learned_context is not None:
            self.learned_context.requires_grad_(stage == "denoiser")

    def forward(self, pictures: Tensor) -> Autoencoded | Denoised:
        """Try the stage's part on N x 3 x H x W code values, by torch's global generator."""
        return self._autoencoded(pictures) if self.stage == "autoencoder" else self._denoised(pictures)

    def _autoencoded(self, pictures: Tensor) -> Autoencoded:
        posterior = self.posterior(pictures)
        mean, deviation = posterior.mean.float(), posterior.deviation.float()
        if self.training:
            self._remember(mean.detach())
        divergence = (mean**2 + deviation**2 - 1) / 2 - deviation.log()
        return Autoencoded(self.pictures_of(mean + deviation * torch.randn_like(mean)), mean, divergence.mean())

    def _denoised(self, pictures: Tensor) -> Denoised:
        with torch.no_grad():
            latents = self.posterior(pictures).mean.float()
            if self.training:
                self._remember(latents)  # those that the autoencoder learned from may have had swapped colours
            clean = self.normalised(latents).repeat(self.draws, 1, 1, 1)
        count = len(clean)
        # One step from each stretch of the schedule: the mean over a batch varies less than that of free draws.
        stretch = (torch.randperm(count, device=clean.device) + torch.rand(count, device=clean.device)) / count
        timestep = (stretch * STEPS).long().clamp_(max=STEPS - 1)
        noise = torch.randn_like(clean)
        return Denoised(self.predict_noise(noised(clean, noise, timestep), timestep), noise)

    def _remember(self, latents: Tensor) -> None:
        """Follow the mean and the deviation of latents, by which `encode` and `decode` normalise them."""
        for known, new in (
            (self.latent_mean, latents.mean((0, 2, 3))),
            (self.latent_deviation, latents.std((0, 2, 3))),
        ):
            known.lerp_(new, 1 - _MEMORY)
