"""The paper's network: DHRNet, LPENet and the diffusion of the prior."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.lf_diff.alignment import AlignmentModule
from headroom.methods.lf_diff.denoiser import DenoisingUNet
from headroom.methods.lf_diff.frames import short_reference_long
from headroom.methods.lf_diff.network import Merged, MergeNetwork
from headroom.methods.lf_diff.prior import LPENet
from headroom.methods.lf_diff.prior_source import PriorSource
from headroom.methods.lf_diff.reconstruction import DHRNet
from headroom.nn.mu_law import mu_law

SIZE_MULTIPLE = 16
"""The prior has a quarter of the size, and the denoiser halves that twice."""

_CELL_PX = 4


@dataclass(frozen=True, slots=True)
class PaperSettings:
    """Numbers of the paper's network.

    Attributes:
        blocks_before: Residual blocks of each module before the split; the paper does not say how many.
        blocks_high: The same for its high frequencies.
        channels: Width of DHRNet.
        prior_channels: Channels of the prior.
        prior_width: Width of both LPENets; the paper gives none.
        denoiser_channels: Width of the denoiser.
    """

    blocks_before: int = 1
    blocks_high: int = 1
    channels: int = 60
    prior_channels: int = 3
    prior_width: int = 48
    denoiser_channels: int = 32


class Condition(nn.Module):
    """Describe the scene to the denoiser: alignment and LPENet of the unshuffled frames (LF-Diff eq. 13)."""

    def __init__(self, channels: int, width: int, condition_channels: int) -> None:
        super().__init__()
        self.alignment = AlignmentModule(6 * _CELL_PX**2, channels)
        self.lpenet = LPENet(channels, width, condition_channels)

    def forward(self, cells: Tensor) -> Tensor:
        """Map N x 3 frames x 96 x h x w to N x Z x h x w."""
        condition: Tensor = self.lpenet(self.alignment(*cells.unbind(1)))
        return condition


class PaperNetwork(MergeNetwork):
    """Merge a bracket as LF-Diff does."""

    def __init__(self, settings: PaperSettings) -> None:
        super().__init__()
        z = settings.prior_channels
        self.reconstruction = DHRNet(settings.channels, z, settings.blocks_before, settings.blocks_high)
        self.prior = PriorSource(
            LPENet(6 * _CELL_PX**2, settings.prior_width, z),
            Condition(settings.channels, settings.prior_width, z),
            DenoisingUNet(2 * z, z, settings.denoiser_channels, multipliers=(1, 2, 2), depth=2),
            factor=_CELL_PX,
            prior_channels=z,
            noise=True,
        )

    def forward(
        self, inputs: MergeInput, truth: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Merged:
        """Merge N brackets, sides multiples of 16; see `MergeNetwork.forward`."""
        frames = short_reference_long(inputs)
        seen = torch.cat((frames.encoded, frames.linear), dim=2)  # N x 3 frames x 6 x H x W
        prior = self.prior(F.pixel_unshuffle(seen, _CELL_PX), truth, generator)
        light = self.reconstruction(*seen.unbind(1), prior.value)
        return Merged(mu_law(light), prior.prior_error, prior.noise_error)
