"""The regressor that ships: DaReg in small, which finds the gain as a blend of those that the frames imply.

It keeps DaReg's parts and their order. It works at half the size and below, to be fast on a CPU, and without sums over
the whole picture, so that a tile gives what the picture gives.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.gmodiff.blending import TAPS, blend, classical_weights
from headroom.methods.gmodiff.frames import short_reference_long
from headroom.methods.gmodiff.fusion import ExposureFusion
from headroom.methods.gmodiff.gain import encode_gain
from headroom.methods.gmodiff.regressor import Regression, Regressor
from headroom.nn.residual import ResidualBlock
from headroom.nn.unshuffle import UnshuffleConv2d

_FACTOR = 2
"""How many times smaller than the frames the largest features are."""
_INPUTS = 9
"""Channels of each frame: its codes, its gain over the reference and its classical weights."""
_OUTPUTS = (9, 3 * TAPS, 3)
"""Numbers for each pixel: three frames' weights in three channels, three frames' taps, and a change."""
_CENTRE_LOGIT = 5.0
"""Of a pixel among its neighbours before anything is learned."""


class CompactRegressor(Regressor):
    """Regress the gain map of a bracket; sides are multiples of 2 ** `len(channels)`.

    Args:
        channels: Width at a half, a quarter, an eighth of the size, and so on.
        blocks_down: See `Regressor`.
        blocks_up: See `Regressor`.
        mask_channels: See `Regressor`.
    """

    def __init__(
        self, channels: Sequence[int], blocks_down: Sequence[int], blocks_up: Sequence[int], mask_channels: int
    ) -> None:
        super().__init__(channels, (2,) * (len(channels) - 1), blocks_down, blocks_up, mask_channels, ResidualBlock)
        self.features_factor *= _FACTOR
        width = channels[0]
        self.intro = nn.ModuleList(UnshuffleConv2d(_INPUTS, width, _FACTOR) for _ in range(3))
        self.fusion = ExposureFusion(width, kernel=1)
        self.head = nn.Conv2d(width, _FACTOR**2 * sum(_OUTPUTS), 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, inputs: MergeInput) -> Regression:
        """Regress the gain maps of N brackets."""
        frames = short_reference_long(inputs)
        classical = classical_weights(frames)
        gains = encode_gain(frames.linear, frames.base[:, None])
        seen = torch.cat((frames.encoded, gains, classical.softmax(1)), dim=2)  # N x 3 frames x 9 x H x W
        by_frame = (frame.contiguous(memory_format=torch.channels_last) for frame in seen.unbind(1))
        features = (F.leaky_relu(intro(frame)) for intro, frame in zip(self.intro, by_frame, strict=True))
        encoded = self.encode(self.fusion(*features))  # N x C x H/2 x W/2 and smaller
        outputs = F.pixel_shuffle(self.head(self.decode(encoded)), _FACTOR).float()  # N x 39 x H x W
        weights, taps, change = torch.split(outputs, list(_OUTPUTS), dim=1)
        gain = blend(frames, classical + weights.reshape(classical.shape), _centred(taps), change)
        doubt = F.interpolate(self.doubt(encoded.skips).float(), scale_factor=2.0, mode="bilinear")
        return Regression(gain, frames.base, doubt, encoded.bottom)


def _centred(taps: Tensor) -> Tensor:
    """Turn N x 27 x H x W changes into N x 3 frames x 9 x H x W logits, the largest for the pixel itself."""
    by_frame = taps.reshape(len(taps), 3, TAPS, *taps.shape[-2:])
    centre = by_frame.new_zeros(TAPS, 1, 1)
    centre[TAPS // 2] = _CENTRE_LOGIT
    return by_frame + centre
