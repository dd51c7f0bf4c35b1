"""Between a photo's pixels and the coarse grid on which a network predicts their gain; used in training and in use."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_LEAST_SHARE = 1e-3


def upsample_gain(gain: Tensor, clipped_share: Tensor, size: tuple[int, int]) -> Tensor:
    """Interpolate a coarse gain so that only cells with clipped pixels speak for clipped pixels.

    Plain interpolation would mix a lamp's gain with that of the dark wall beside it, which means nothing; weighting by
    the clipped share (normalised convolution, Knutsson and Westin 1993) keeps small lamps bright up to their edge.

    Args:
        gain: N x 3 x h x w log2 gain.
        clipped_share: N x 3 x h x w share of each cell's pixels that are clipped.
        size: Height and width to interpolate to.

    Returns:
        N x 3 x H x W log2 gain.
    """
    weight = clipped_share + _LEAST_SHARE
    both = F.interpolate(torch.cat((gain * weight, weight), dim=1), size=size, mode="bilinear", align_corners=False)
    weighted, weights = both.chunk(2, dim=1)
    return weighted / weights
