"""LPENet: a few numbers per cell that say what the scene looks like at low frequencies (LF-Diff, section 4.1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.nn.mu_law import mu_law
from headroom.nn.residual import residual_blocks


class LPENet(nn.Sequential):
    """Map N x C x h x w to the N x Z x h x w prior; the paper has four blocks and Z = 3."""

    def __init__(self, in_channels: int, width: int, prior_channels: int, blocks: int = 4) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, 3, padding=1),
            *residual_blocks(width, blocks),
            nn.Conv2d(width, prior_channels, 3, padding=1),
        )


def true_light_cells(truth: Tensor, factor: int) -> Tensor:
    """Unshuffle the truth and its tone-mapped self for `LPENet`: LF-Diff eq. 6.

    Args:
        truth: N x 3 x H x W linear light.
        factor: Side of a cell in pixels, 4 in the paper.

    Returns:
        N x (6 * factor^2) x H / factor x W / factor.
    """
    return F.pixel_unshuffle(torch.cat((truth, mu_law(truth)), dim=1), factor)
