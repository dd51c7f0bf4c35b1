"""Training examples that lost detail along random lines, for the pre-training of Sagiri's second stage."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from headroom.data.enhancement import EnhancementData
from headroom.data.enhancement_lines import COARSE, LineSettings, blur_along_lines
from headroom.methods.contract import EnhanceBatch


@dataclass(frozen=True, slots=True)
class BlurredData:
    """Well-exposed views with blurred lines across them; every other batch has coarse lines.

    Attributes:
        views: Where the views are from.
    """

    views: EnhancementData

    def batch(self, index: int, count: int, side_px: int) -> EnhanceBatch:
        """Make examples `index * count` and following; what is blurred counts as unknown."""
        truth = self.views.batch(index, count, side_px).truth
        generator = torch.Generator().manual_seed(self.views.seed * 1_000_003 + index)
        blurred = blur_along_lines(truth, COARSE if index % 2 else LineSettings(), generator)
        return EnhanceBatch(blurred.pictures, blurred.mask, truth, torch.zeros(count))
