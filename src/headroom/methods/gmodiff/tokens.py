"""What the denoiser and the decoder are told about a bracket: features of its regressor, and where that is unreliable.

Source: the released GMODiff, whose names these are. Its paper calls them c_L.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_HALVINGS = 2
"""Of the mask's encoder, by strides."""


class Tokens(nn.Module):
    """Turn a mask and the smallest features of a regressor into a sequence of tokens.

    Args:
        features: Channels of the features.
        factor: How many times smaller than the frames they are.
        width: Channels of a token.
    """

    def __init__(self, features: int, factor: int, width: int) -> None:
        super().__init__()
        squares = factor // 2**_HALVINGS
        self.mask_encoder = nn.Sequential(
            nn.PixelUnshuffle(squares),
            nn.Conv2d(squares**2, width // 4, 3, stride=2, padding=1),
            nn.BatchNorm2d(width // 4),
            nn.ReLU(),
            nn.Conv2d(width // 4, width, 3, stride=2, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.mlp = nn.Sequential(nn.Linear(width + features, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())

    def forward(self, mask: Tensor, features: Tensor) -> Tensor:
        """Give N x L x width tokens, one for each place of the features.

        Args:
            mask: N x 1 x H x W chance that the regressed light is wrong.
            features: N x C x H / factor x W / factor.
        """
        both = torch.cat((self.mask_encoder(mask), features), dim=1)
        tokens: Tensor = self.mlp(both.flatten(2).transpose(1, 2))
        return tokens
