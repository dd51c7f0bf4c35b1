"""One direction of LEDiff as a network: from what a photo shows to what a shorter, or a longer, exposure would show.

Its parts are those of a released folder: an autoencoder whose decoder gives the logarithm of light, a denoiser that
sees the exposure next to the wanted one, and the fusion of all of them (LEDiff, section 3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from headroom.methods.lediff.fusion import LatentFusion, Mean
from headroom.nn.gain_network import GainNetworkSettings
from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.sampling import Sampler
from headroom.nn.latent.schedule import signal_shares
from headroom.nn.latent.settings import COMPACT, STABLE_DIFFUSION_1, LatentPriorSettings
from headroom.nn.srgb import srgb_light

Direction = Literal["highlights", "shadows"]
"""Towards shorter exposures, which show highlights, or towards longer ones."""

DIRECTIONS: tuple[Direction, ...] = ("highlights", "shadows")

Part = Literal["decoder", "denoiser"]
"""What learns, each in runs of its own; the decoder together with the fusion."""

PARTS: tuple[Part, ...] = ("decoder", "denoiser")


@dataclass(frozen=True, slots=True)
class ExposeOptions:
    """How exposures are made; the training knows none of it.

    Attributes:
        exposures: How many are made beside the photo, each from the one before.
        steps: Evaluations of the denoiser for each.
        sampler: How steps are crossed.
        guidance: Weight of the words against no words; 1 is the words alone.
        prompt: What the photo shows, for a denoiser that attends to words.
    """

    exposures: int = 2
    steps: int = 10
    sampler: Sampler = "ddim"
    guidance: float = 1.0
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class LEDiffSettings:
    """Numbers of one LEDiff.

    Attributes:
        prior: Of the latent prior that it grew from.
        two_estimates: Whether the denoiser estimates the clean latents beside the noise; see `Exposer.estimate`.
        fusion_kernel: See `LatentFusion`.
        log_range: Natural logarithms of the light that the decoder's code values 0 and 1 stand for.
        epsilon: Light that is added before the logarithm.
        directions: Those that there are.
        trained: Parts that have learned; in place of others are the prior's own, as in the paper's ablations.
        anchor: Of the network whose coarse brightness highlights take; None where they keep their own.
        options: How it is used.
    """

    prior: LatentPriorSettings = COMPACT
    two_estimates: bool = True
    fusion_kernel: int = 1
    log_range: tuple[float, float] = (-7.0, 5.0)
    epsilon: float = 1e-3
    directions: tuple[Direction, ...] = DIRECTIONS
    trained: tuple[Part, ...] = PARTS
    anchor: GainNetworkSettings | None = field(default_factory=GainNetworkSettings)
    options: ExposeOptions = field(default_factory=ExposeOptions)


COMPACT_LEDIFF = LEDiffSettings()
"""On the prior that ships."""

PAPER_LEDIFF = LEDiffSettings(
    prior=STABLE_DIFFUSION_1,
    two_estimates=False,
    log_range=(-1.0, 1.0),  # the decoder's own numbers are the logarithms
    epsilon=1e-5,
    anchor=None,
    options=ExposeOptions(steps=50, guidance=7.5, prompt="A photo"),
)
"""The released network; which Stable Diffusion it grew from, its folder says."""


class Exposer(LatentPrior):
    """A latent prior that tells of one exposure from another; its decoder gives light."""

    log_range: tuple[float, float] = (-1.0, 1.0)
    epsilon: float = 0.0
    trained: tuple[Part, ...] = PARTS
    options = ExposeOptions()

    def start_fusion(self, kernel: int) -> None:
        """Add the fusion, which starts as the mean, and stays that beside a decoder that has not learned."""
        self.fusion = LatentFusion(self.channels, kernel) if "decoder" in self.trained else Mean()

    def encode_all(self, exposures: Tensor) -> Tensor:
        """Turn N x E x 3 x H x W code values of E exposures into N x E x C x h x w latents."""
        latents = self.encode(exposures.flatten(0, 1)).float()
        return latents.view(*exposures.shape[:2], *latents.shape[1:])

    def estimate(self, noisy: Tensor, timestep: Tensor, condition: Tensor, context: Tensor | None = None) -> Tensor:
        """Estimate the noise in the latents of one exposure by those of its neighbour.

        A denoiser that estimates noise alone says little about the picture where there is much noise: a small error of
        the one is a large error of the other. With two estimates, the noise counts as far as there is signal, and
        the clean latents as far as there is noise (Benny and Wolf 2022, "Dynamic Dual-Output Diffusion Models").

        Args:
            noisy: N x C x h x w latents with noise in them.
            timestep: N, of the schedule's 1000 steps.
            condition: N x C x h x w latents of the neighbour.
            context: N x L x D, what the denoiser attends to; without one, what was learned.
        """
        attended = self.context(len(noisy)) if context is None else context
        found: Tensor = self.denoiser(torch.cat((noisy, condition), 1), timestep, attended).sample
        if self.prediction == "epsilon" and found.shape[1] == self.channels:
            return found
        share = signal_shares().to(noisy)[timestep].view(-1, 1, 1, 1)
        velocity = found
        if self.prediction == "epsilon":
            noise, clean = found.chunk(2, dim=1)
            velocity = share.sqrt() * noise - (1 - share).sqrt() * clean
        return share.sqrt() * velocity + (1 - share).sqrt() * noisy

    def log_of(self, light: Tensor) -> Tensor:
        """Turn light into the code values that the decoder gives for it."""
        low, high = self.log_range
        return ((light + self.epsilon).log() - low) / (high - low)

    def light_of(self, codes: Tensor) -> Tensor:
        """Turn the decoder's code values into light, which is never negative; those of a prior's own are sRGB."""
        if "decoder" not in self.trained:
            return srgb_light(codes.clamp(0, 1))
        low, high = self.log_range
        return ((low + (high - low) * codes).clamp(max=_LARGEST_LOG).exp() - self.epsilon).clamp_min(0)


_LARGEST_LOG = math.log(2.0**30)
"""So that no weights make light infinite."""


def build_exposer(settings: LEDiffSettings) -> Exposer:
    """Make one direction with random weights."""
    exposer = Exposer.of(_conditioned(settings) if "denoiser" in settings.trained else settings.prior)
    exposer.trained = settings.trained
    exposer.start_fusion(settings.fusion_kernel)
    exposer.log_range, exposer.epsilon = settings.log_range, settings.epsilon
    exposer.options = settings.options
    return exposer


def _conditioned(settings: LEDiffSettings) -> LatentPriorSettings:
    """Let the denoiser see two latents at once, and give as many where it has two estimates."""
    denoiser: Mapping[str, object] = settings.prior.denoiser
    channels = settings.prior.autoencoder.get("latent_channels", 4)
    widths = {"in_channels": 2 * channels, "out_channels": channels * (2 if settings.two_estimates else 1)}
    return replace(settings.prior, denoiser=MappingProxyType({**denoiser, **widths}))
