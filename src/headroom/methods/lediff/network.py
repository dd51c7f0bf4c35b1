"""LEDiff as a network: an `Exposer` for each direction, and what of them learns in training."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.lediff.critic import Critic, Verdict, judge
from headroom.methods.lediff.exposer import DIRECTIONS, Direction, Exposer, LEDiffSettings, Part, build_exposer
from headroom.nn.gain_network import GainNetwork
from headroom.nn.latent.prior import AUTOENCODER_FACTOR
from headroom.nn.latent.schedule import STEPS, noised, signal_shares

_BLOWN = 1 - 0.5 / 255
_CRUSHED = 7.5 / 255


class Decoded(NamedTuple):
    """What the decoder makes of the fused latents of three exposures.

    Attributes:
        codes: N x 3 x H x W code values, see `Exposer.log_of`.
        truth: N x 3 x H x W those that it should give.
        lost: N x 1 x H x W, 1 where the photo shows nothing, else 0.
        verdict: What the critic says of codes and truth, where there is one.
    """

    codes: Tensor
    truth: Tensor
    lost: Tensor
    verdict: Verdict | None


class Denoised(NamedTuple):
    """What the denoiser makes of noisy latents, all N x C x h x w but for the last two.

    Attributes:
        estimate: The noise that it sees.
        noise: The noise that is there.
        share: N x 1 x 1 x 1, of the signal.
        lost: N x 1 x h x w, share of each cell of which the neighbour shows nothing.
    """

    estimate: Tensor
    noise: Tensor
    share: Tensor
    lost: Tensor


class LEDiff(nn.Module):
    """Both directions, each by its name; of released folders there may be one alone.

    Args:
        highlights: Towards shorter exposures.
        shadows: Towards longer ones.
        anchor: Knows how bright highlights are; see `headroom.methods.lediff.anchoring`.
    """

    part: Part = "decoder"
    direction: Direction = "highlights"
    draws: int = 1

    def __init__(self, highlights: Exposer | None, shadows: Exposer | None, anchor: GainNetwork | None = None) -> None:
        super().__init__()
        self.highlights, self.shadows, self.anchor = highlights, shadows, anchor
        self.critic: Critic | None = None  # in training, where it is asked for

    def towards(self, direction: Direction) -> Exposer | None:
        """Give one of the two."""
        return self.highlights if direction == "highlights" else self.shadows

    def train_part(self, part: Part, direction: Direction, draws: int) -> Exposer:
        """Choose what learns, and let nothing learn yet; give the direction that it is in.

        Args:
            part: The decoder, or the denoiser.
            direction: See `Direction`.
            draws: How many noises each example's latents are mixed with, since encoding costs as much as a step.

        Raises:
            ValueError: There is no such direction.
        """
        self.requires_grad_(requires_grad=False)
        self.part, self.direction, self.draws = part, direction, draws
        return self.learning

    @property
    def learning(self) -> Exposer:
        """The direction in which something learns.

        Raises:
            ValueError: There is no such direction.
        """
        if (exposer := self.towards(self.direction)) is None:
            raise ValueError(f"there is no direction {self.direction} in this network")
        return exposer

    def forward(self, codes: Tensor, truth: Tensor) -> Decoded | Denoised:
        """Try the part that learns, by torch's global generator.

        Args:
            codes: N x 3 x 3 x H x W exposures, shortest first.
            truth: N x 3 x H x W light.
        """
        exposer = self.learning
        with torch.no_grad():
            latents = exposer.encode_all(codes)
        if self.part == "decoder":
            photo = codes[:, 2 if self.direction == "highlights" else 0]
            decoded = exposer.decode(exposer.fusion(latents))
            wanted = exposer.log_of(truth)
            verdict = judge(self.critic, decoded, wanted) if self.critic is not None else None
            return Decoded(decoded, wanted, _lost(photo, self.direction), verdict)
        return self._denoised(exposer, codes, latents)

    def _denoised(self, exposer: Exposer, codes: Tensor, latents: Tensor) -> Denoised:
        """Learn both steps from an exposure to its neighbour."""
        given, wanted = ([2, 1], [1, 0]) if self.direction == "highlights" else ([0, 1], [1, 2])
        lost = F.avg_pool2d(_lost(codes[:, given].flatten(0, 1), self.direction), AUTOENCODER_FACTOR)
        condition, clean, lost = (
            x.repeat(self.draws, 1, 1, 1)
            for x in (latents[:, given].flatten(0, 1), latents[:, wanted].flatten(0, 1), lost)
        )
        # One step from each stretch of the schedule: the mean over a batch varies less than that of free draws.
        count = len(clean)
        stretch = (torch.randperm(count, device=clean.device) + torch.rand(count, device=clean.device)) / count
        timestep = (stretch * STEPS).long().clamp_(max=STEPS - 1)
        noise = torch.randn_like(clean)
        estimate = exposer.estimate(noised(clean, noise, timestep), timestep, condition, exposer.read([""] * count))
        return Denoised(estimate, noise, signal_shares().to(noise)[timestep].view(-1, 1, 1, 1), lost)


def _lost(codes: Tensor, direction: Direction) -> Tensor:
    """Mark where an exposure, N x 3 x H x W, shows nothing in a channel: N x 1 x H x W."""
    lost = codes >= _BLOWN if direction == "highlights" else codes <= _CRUSHED
    return lost.any(1, keepdim=True).float()


def build(settings: LEDiffSettings) -> LEDiff:
    """Make the network of a preset, with random weights."""
    highlights, shadows = (build_exposer(settings) if each in settings.directions else None for each in DIRECTIONS)
    return LEDiff(highlights, shadows, GainNetwork(settings.anchor) if settings.anchor else None)
