"""GMODiff's refiner: the regressed gain map, repaired by one step of a latent prior.

Source: GMODiff, as released. The map's latents are taken for noisy ones of step 499 without any noise being added; the
denoiser sees those of the short frame beside them, and tokens that say where the map is unreliable.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.gmodiff.autoencoding import decode, encode, skips_of
from headroom.methods.gmodiff.blending import disagreement
from headroom.methods.gmodiff.expecting import expect
from headroom.methods.gmodiff.frames import Frames, short_reference_long
from headroom.methods.gmodiff.gain import encode_gain
from headroom.methods.gmodiff.regressor import Regression, Regressor
from headroom.methods.gmodiff.residual import Residual
from headroom.methods.gmodiff.settings import RefinerSettings
from headroom.methods.gmodiff.tokens import Tokens
from headroom.nn.gain_network import GainNetwork
from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.schedule import signal_shares

STEP = 499
"""Of the prior's schedule, which the map's latents are taken for."""


class Encoder(nn.Module):
    """The encoding half of an autoencoder; what it is copied from stays."""

    def __init__(self, autoencoder: nn.Module) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(autoencoder.encoder)
        self.quant_conv = copy.deepcopy(autoencoder.quant_conv)


class Seen(NamedTuple):
    """What the prior sees of a bracket.

    Attributes:
        gain: N x 3 x h x w regressed map, at the size that the prior works at.
        short: N x 3 x h x w code values of the short frame, at the same size.
        tokens: N x L x D; see `Tokens`.
    """

    gain: Tensor
    short: Tensor
    tokens: Tensor


class Refined(NamedTuple):
    """Two maps of one bracket.

    Attributes:
        refined: The result.
        regressed: What it was made of.
    """

    refined: Regression
    regressed: Regression

    @property
    def light(self) -> Tensor:
        """See `Regression.light`."""
        return self.refined.light

    @property
    def doubt(self) -> Tensor:
        """See `Regression.doubt`."""
        return self.regressed.doubt


class Refiner(LatentPrior):
    """A regressor, and the latent prior that repairs what it regressed."""

    def start(self, regressor: Regressor, settings: RefinerSettings) -> None:
        """Give the prior a regressor and the parts that the refiner has besides, which have learned nothing yet."""
        self.regressor, self.reduction = regressor, settings.reduction
        self.keeps_map, self.guided = settings.keeps_map, settings.guided
        width = self.denoiser.config.cross_attention_dim
        self.condition_encoder = Encoder(self.autoencoder)
        self.denoiser.conv_in = _widened(self.denoiser.conv_in, self.channels)
        self.tokens = Tokens(regressor.features_channels, regressor.features_factor, width)
        self.skips = skips_of(self.autoencoder, width)
        if settings.keeps_map:
            features = self.autoencoder.decoder.conv_norm_out.num_channels
            self.residual = Residual(features, self.patch_px * settings.reduction)
            self.expecting = GainNetwork(settings.expecting)

    def forward(self, inputs: MergeInput) -> Refined:
        """Regress the gain maps of N brackets, and repair them."""
        frames, found = short_reference_long(inputs), self.regressor(inputs)
        seen = self.see(frames, found)
        latents, skips = encode(self.autoencoder, self.cells_of(seen.gain))
        clean = self.one_step(self.normalised(latents), self.condition(seen.short), seen.tokens)
        gated = [skip(x, seen.tokens) for skip, x in zip(self.skips, reversed(skips), strict=True)]
        features = decode(self.autoencoder, self.denormalised(clean), gated)
        return Refined(found._replace(gain=self.paint(features, found, frames)), found)

    def see(self, frames: Frames, found: Regression) -> Seen:
        """Gather what the prior sees."""
        gain, short = found.gain.detach().float(), frames.encoded[:, 0]
        tokens = self.tokens(torch.sigmoid(found.unreliable.detach().float()), found.features.detach())
        if not self.guided:
            tokens = torch.zeros_like(tokens)
        if self.reduction > 1:
            gain, short = (F.avg_pool2d(x, self.reduction) for x in (gain, short))
        return Seen(gain, short, tokens)

    def cells_of(self, pictures: Tensor) -> Tensor:
        """Turn N x 3 x h x w values in [0, 1] into what the autoencoder sees."""
        return F.pixel_unshuffle(2 * pictures - 1, self.patch_px)

    def condition(self, short: Tensor) -> Tensor:
        """Give the latents of N x 3 x h x w code values of short frames."""
        return self.normalised(encode(self.condition_encoder, self.cells_of(short)).mode)

    def one_step(self, latents: Tensor, condition: Tensor, tokens: Tensor) -> Tensor:
        """Take the noise out of latents as if they were those of `STEP`: the denoiser is evaluated once.

        Args:
            latents: N x C x h x w of the map.
            condition: N x C x h x w of the short frame.
            tokens: N x L x D.
        """
        count = len(latents)
        if self.learned_context is not None:
            tokens = torch.cat((self.context(count).to(tokens), tokens), dim=1)
        steps = torch.full((count,), STEP, device=latents.device)
        noise = self.predict_noise(torch.cat((latents, condition), dim=1), steps, tokens)
        return without_noise(latents, noise.float())

    def denormalised(self, latents: Tensor) -> Tensor:
        """Give the autoencoder's own latents of normalised ones."""
        return latents * self.latent_deviation.view(-1, 1, 1) + self.latent_mean.view(-1, 1, 1)

    def paint(self, features: Tensor, found: Regression, frames: Frames) -> Tensor:
        """Give the gain map that decoded features amount to, N x 3 x H x W."""
        regressed = found.gain.detach().float()
        if not self.keeps_map:
            cells = self.autoencoder.decoder.conv_out(features)
            return ((F.pixel_shuffle(cells, self.patch_px).float() + 1) / 2).clamp(0, 1)
        doubt = found.unreliable.detach().float()
        if not self.guided:
            doubt = torch.zeros_like(doubt)
        light, share = expect(self.expecting, frames, self.reduction)
        expected, bound = encode_gain(light, frames.base), disagreement(frames)
        change: Tensor = self.residual(features, frames.encoded, regressed, expected, share, doubt, bound)
        return regressed + change


def without_noise(noisy: Tensor, noise: Tensor) -> Tensor:
    """Give the clean latents that noisy ones of `STEP` amount to (Ho et al. 2020, eq. 15)."""
    share = signal_shares()[STEP]
    return (noisy - float((1 - share).sqrt()) * noise) / float(share.sqrt())


def widened_weight(weight: Tensor, more: int) -> Tensor:
    """Let the weight of a convolution take further channels, which it does not heed yet.

    The released code starts with random numbers; zeros begin where the prior is.
    """
    return torch.cat((weight, weight.new_zeros(len(weight), more, *weight.shape[2:])), dim=1)


def _widened(convolution: nn.Conv2d, more: int) -> nn.Conv2d:
    wide = copy.deepcopy(convolution)
    wide.in_channels += more
    wide.weight = nn.Parameter(widened_weight(wide.weight.detach(), more))
    return wide
