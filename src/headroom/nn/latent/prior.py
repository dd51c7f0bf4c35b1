"""A latent prior: diffusers' autoencoder and denoiser behind the three calls that methods make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.errors import UsageError
from headroom.nn.latent.schedule import normal_like, signal_shares
from headroom.nn.latent.settings import LatentPriorSettings, Prediction

AUTOENCODER_FACTOR = 8
"""Pixels along each side of a cell of latents, at every size."""


class Posterior(NamedTuple):
    """The normal distribution that an autoencoder gives its own latents of a picture, before they are normalised.

    Attributes:
        mean: N x C x h x w.
        deviation: N x C x h x w.
    """

    mean: Tensor
    deviation: Tensor


class LatentPrior(nn.Module):
    """Pictures to latents and back, and the noise in noisy latents.

    Latents have cells of 8 x 8 pixels, and a mean of 0 and a deviation of 1 over the pictures that the autoencoder was
    trained on.

    Args:
        autoencoder: diffusers' `AutoencoderKL`.
        denoiser: diffusers' `UNet2DConditionModel`.
        patch_px: See `LatentPriorSettings`.
        context_tokens: See `LatentPriorSettings`.
        latent_deviation: See `LatentPriorSettings`.
        prediction: See `LatentPriorSettings`.
    """

    autoencoder: Any  # diffusers has no types
    denoiser: Any
    latent_mean: Tensor
    latent_deviation: Tensor
    words: Callable[[Sequence[str]], Tensor] | None = None
    """Turns N prompts into N x L x D that the denoiser attends to, where it learned nothing to attend to."""

    def __init__(
        self,
        autoencoder: nn.Module,
        denoiser: nn.Module,
        *,
        patch_px: int = 1,
        context_tokens: int = 0,
        latent_deviation: float | None = None,
        prediction: Prediction = "epsilon",
    ) -> None:
        super().__init__()
        self.autoencoder, self.denoiser = autoencoder, denoiser
        self.patch_px, self.prediction = patch_px, prediction
        self.channels: int = self.autoencoder.config.latent_channels
        width = self.denoiser.config.cross_attention_dim
        self.learned_context = nn.Parameter(0.02 * torch.randn(context_tokens, width)) if context_tokens else None
        measured = latent_deviation is None  # Only what training found out is stored with the weights.
        self.register_buffer("latent_mean", torch.zeros(self.channels), persistent=measured)
        deviation = torch.full((self.channels,), latent_deviation or 1.0)
        self.register_buffer("latent_deviation", deviation, persistent=measured)

    @classmethod
    def of(cls, settings: LatentPriorSettings) -> Self:
        """Build one with random weights."""
        from headroom.nn.latent.diffusers_models import make_networks

        prior = cls(
            *make_networks(settings),
            patch_px=settings.patch_px,
            context_tokens=settings.context_tokens,
            latent_deviation=settings.latent_deviation,
            prediction=settings.prediction,
        )
        return prior.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    @property
    def size_multiple(self) -> int:
        """Both sides of a picture must be multiples of this, in pixels."""
        levels = len(self.denoiser.config.block_out_channels)
        return int(AUTOENCODER_FACTOR * 2 ** (levels - 1))

    def encode(self, pictures: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Turn N x 3 x H x W sRGB code values in [0, 1] into N x C x H/8 x W/8 latents.

        Args:
            pictures: What is encoded; sides are multiples of 8.
            generator: Draws from the latents that a picture may have; without one, their mode is taken.
        """
        posterior = self.posterior(pictures)
        latents = posterior.mean
        if generator is not None:
            latents = latents + posterior.deviation * normal_like(latents, generator)
        return self.normalised(latents)

    def decode(self, latents: Tensor) -> Tensor:
        """Turn N x C x h x w latents into N x 3 x 8h x 8w sRGB code values, which may leave [0, 1]."""
        mean, deviation = self._statistics()
        return self.pictures_of(latents * deviation + mean)

    def posterior(self, pictures: Tensor) -> Posterior:
        """Give the distribution of the autoencoder's own latents of pictures; see `encode`."""
        found = self.autoencoder.encode(F.pixel_unshuffle(2 * pictures - 1, self.patch_px)).latent_dist
        return Posterior(found.mean, found.std)

    def normalised(self, latents: Tensor) -> Tensor:
        """Bring the autoencoder's own latents to a mean of 0 and a deviation of 1."""
        mean, deviation = self._statistics()
        return (latents - mean) / deviation

    def pictures_of(self, latents: Tensor) -> Tensor:
        """Decode the autoencoder's own latents; see `decode`."""
        cells = self.autoencoder.decode(latents).sample
        return (F.pixel_shuffle(cells, self.patch_px) + 1) / 2

    def predict_noise(
        self,
        noisy: Tensor,
        timestep: Tensor,
        context: Tensor | None = None,
        *,
        skips: Sequence[Tensor] = (),
        middle: Tensor | None = None,
    ) -> Tensor:
        """Estimate the noise in N x C x h x w latents.

        Args:
            noisy: Latents with noise in them.
            timestep: N, of the schedule's 1000 steps.
            context: N x L x D, what the denoiser attends to; without one, what was learned.
            skips: Added to the outputs of the denoiser's encoder, finest first.
            middle: Added to the output of its middle.

        Raises:
            ValueError: No context is given and none was learned.
        """
        attended = self.context(len(noisy)) if context is None else context
        estimate: Tensor = self.denoiser(
            noisy,
            timestep,
            attended,
            down_block_additional_residuals=tuple(skips) or None,
            mid_block_additional_residual=middle,
        ).sample
        if self.prediction == "epsilon":
            return estimate
        share = signal_shares().to(noisy)[timestep].view(-1, 1, 1, 1)
        return share.sqrt() * estimate + (1 - share).sqrt() * noisy

    def read(self, prompts: Sequence[str]) -> Tensor | None:
        """Give what the denoiser attends to for N prompts, N x L x D; None for what it learned in their place.

        Raises:
            UsageError: It attends to words, and what reads them is missing.
        """
        if self.learned_context is not None:
            return None
        if self.words is None:
            raise UsageError(
                "this network attends to words, even where the prompt is empty, and its weights came without a text "
                "encoder. Give a folder that has text_encoder and tokenizer."
            )
        distinct = list(dict.fromkeys(prompts))
        encoded = self.words(distinct).to(self.latent_mean)
        return encoded[[distinct.index(prompt) for prompt in prompts]]

    def context(self, count: int) -> Tensor:
        """Give the learned context, N x L x D.

        Raises:
            ValueError: None was learned.
        """
        if self.learned_context is None:
            raise ValueError("this latent prior reads words: give it a context")
        return self.learned_context.expand(count, -1, -1)

    def _statistics(self) -> tuple[Tensor, Tensor]:
        return self.latent_mean.view(-1, 1, 1), self.latent_deviation.view(-1, 1, 1)
