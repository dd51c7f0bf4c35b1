"""Made-up light at the brightness that is most likely.

What is drawn from noise is one of many scenes that the photo could show. Its detail is what makes it look real; its
brightness is as wrong as a guess is. Regression's brightness, the mean over all of these scenes, errs least, and has no
detail. So what is drawn keeps its detail and takes its coarse brightness from regression.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

_CELLS = 16
"""Along the longer side: what is coarser than one of them is regression's."""


def anchored(gain: Tensor, expected: Tensor, share: Tensor) -> Tensor:
    """Bring the coarse part of a log2 gain to another's, N x 3 x H x W.

    Args:
        gain: What was drawn.
        expected: What regression expects.
        share: By how much each pixel counts; what was found where it is 0 tells nothing.
    """
    above, below = (_coarse(x) for x in (share * (expected - gain), share))
    return gain + above / below.clamp_min(1e-6)


def _coarse(x: Tensor) -> Tensor:
    """Average cells, and go from one to the next smoothly."""
    height, width = x.shape[2:]
    rows, columns = (max(1, round(side * _CELLS / max(height, width))) for side in (height, width))
    means = F.adaptive_avg_pool2d(x, (rows, columns))
    return F.interpolate(means, size=(height, width), mode="bilinear", align_corners=False)
