"""DaReg, the paper's degradation-aware regressor, layer by layer as released."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.gmodiff.frames import short_reference_long
from headroom.methods.gmodiff.fusion import ExposureFusion
from headroom.methods.gmodiff.naf import NAFBlock
from headroom.methods.gmodiff.regressor import Regression, Regressor


class DaReg(Regressor):
    """Regress the gain map of a bracket; sides are multiples of the product of `factors`.

    The released code was trained on channels in the order blue, green, red, and its later stage feeds the same network
    red, green, blue. Here it is the latter everywhere.

    Args:
        channels: See `Regressor`.
        factors: See `Regressor`.
        blocks_down: See `Regressor`.
        blocks_up: See `Regressor`.
        mask_channels: See `Regressor`.
    """

    def __init__(
        self,
        channels: Sequence[int],
        factors: Sequence[int],
        blocks_down: Sequence[int],
        blocks_up: Sequence[int],
        mask_channels: int,
    ) -> None:
        super().__init__(channels, factors, blocks_down, blocks_up, mask_channels, NAFBlock)
        width = channels[0]
        self.intro_0 = nn.Conv2d(6, width, 3, padding=1)
        self.intro_1 = nn.Conv2d(6, width, 3, padding=1)
        self.intro_2 = nn.Conv2d(6, width, 3, padding=1)
        self.fusion = ExposureFusion(width)
        self.ending = nn.Conv2d(width, width, 3, padding=1)
        self.outconv = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, inputs: MergeInput) -> Regression:
        """Regress the gain maps of N brackets."""
        frames = short_reference_long(inputs)
        seen = torch.cat((frames.linear, frames.encoded), dim=2)  # N x 3 frames x 6 x H x W
        short, reference, long = seen.unbind(1)
        of_reference: Tensor = self.intro_1(reference)
        encoded = self.encode(self.fusion(self.intro_0(short), of_reference, self.intro_2(long)))
        gain = torch.sigmoid(self.outconv(self.ending(self.decode(encoded)) + of_reference))
        return Regression(gain, frames.base, self.doubt(encoded.skips), encoded.bottom)
