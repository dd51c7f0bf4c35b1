"""The network that ships: it weighs the frames' own pixels, guided by a diffused prior of the low frequencies.

It keeps LF-Diff's parts and their order, and works at a half to an eighth of the size to be fast on a CPU.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.lf_diff.alignment import AlignmentModule
from headroom.methods.lf_diff.blending import OUTPUTS, blend, classical_logits
from headroom.methods.lf_diff.compact_blocks import LocalDenoiser, LocalFrequencyBlock, LocalPriorIntegration
from headroom.methods.lf_diff.frames import short_reference_long
from headroom.methods.lf_diff.network import Merged, MergeNetwork
from headroom.methods.lf_diff.prior import LPENet
from headroom.methods.lf_diff.prior_source import PriorSource
from headroom.nn.residual import ResidualBlock

_CELL_PX = 8
_INPUTS = 9
"""Channels of each frame: its codes, its light in mu-law and its classical weights."""


class CompactNetwork(MergeNetwork):
    """Merge a bracket.

    Args:
        channels: Width at a half, a quarter and an eighth of the size.
        prior_channels: Channels of the prior, which has cells of 8 x 8 pixels.
        prior_width: Width of LPENet.
        condition_channels: Channels of what the denoiser knows of the scene.
        denoiser_width: Width of the denoiser.
    """

    def __init__(
        self,
        channels: tuple[int, int, int],
        prior_channels: int,
        prior_width: int,
        condition_channels: int,
        denoiser_width: int,
    ) -> None:
        super().__init__()
        half, quarter, eighth = channels
        self.alignment = AlignmentModule(_INPUTS, half, kernel=1, factor=2)
        self.encode_half = ResidualBlock(half)
        self.to_quarter = nn.Conv2d(half, quarter, 3, stride=2, padding=1)
        self.encode_quarter = ResidualBlock(quarter)
        self.to_eighth = nn.Conv2d(quarter, eighth, 3, stride=2, padding=1)
        self.encode_eighth = ResidualBlock(eighth)
        self.prior = PriorSource(
            LPENet(6 * _CELL_PX**2, prior_width, prior_channels),
            nn.Conv2d(eighth, condition_channels, 3, padding=1),
            LocalDenoiser(prior_channels, condition_channels, denoiser_width),
            factor=_CELL_PX,
            prior_channels=prior_channels,
            noise=False,
        )
        self.integrate = LocalPriorIntegration(eighth, prior_channels, maps=2 * prior_channels)
        self.refine_eighth = LocalFrequencyBlock(eighth)
        self.from_eighth = nn.Conv2d(eighth, quarter, 1)
        self.refine_quarter = LocalFrequencyBlock(quarter)
        self.from_quarter = nn.Conv2d(quarter, half, 1)
        self.refine_half = LocalFrequencyBlock(half)
        self.head = nn.Conv2d(half, 4 * OUTPUTS, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(
        self, inputs: MergeInput, truth: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Merged:
        """Merge N brackets, sides multiples of 16; see `MergeNetwork.forward`."""
        frames = short_reference_long(inputs)
        logits = classical_logits(frames)
        seen = torch.cat((frames.encoded, frames.tone, logits.softmax(1)), dim=2)
        by_frame = (frame.contiguous(memory_format=torch.channels_last) for frame in seen.unbind(1))
        half = self.encode_half(self.alignment(*by_frame))  # N x C0 x H/2 x W/2
        quarter = self.encode_quarter(F.leaky_relu(self.to_quarter(half), 0.1))
        eighth = self.encode_eighth(F.leaky_relu(self.to_eighth(quarter), 0.1))
        prior = self.prior(eighth, truth, generator)
        eighth = self.refine_eighth(self.integrate(eighth, prior.value))
        quarter = self.refine_quarter(quarter + _double(self.from_eighth(eighth)))
        half = self.refine_half(half + _double(self.from_quarter(quarter)))
        outputs = F.pixel_shuffle(self.head(half), 2).float()  # N x 12 x H x W
        tone = blend(frames, logits + outputs[:, :9].reshape(logits.shape), outputs[:, 9:])
        return Merged(tone, prior.prior_error, prior.noise_error)


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
