"""Made-up light at the brightness that is most likely.

What is drawn from noise is one of many scenes that the photo could show. Its detail is what makes it look real; its
brightness is as wrong as a guess is, and a small prior's colours are blotches. What regression expects, the mean over
all of these scenes, errs least, and has no detail. So that is taken, with the detail in brightness of what is drawn.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

_CELLS = 16
"""Along the longer side: what is coarser than one of them is regression's."""
_LEAST = 1e-6


def anchored(gain: Tensor, expected: Tensor, share: Tensor) -> Tensor:
    """Give the log2 gain that is expected the detail of one that was drawn, all N x 3 x H x W.

    Detail goes where all channels are lost: where one was measured, it already says how bright the pixel is, and
    detail in the others would only change its colour.

    Args:
        gain: What was drawn.
        expected: What regression expects.
        share: Share of each cell's pixels whose channel is lost; what was found where it is 0 tells nothing.
    """
    lost = share.amin(1, keepdim=True)
    change = (gain - expected).mean(1, keepdim=True)
    return expected + lost * (change - _coarse(lost * change) / _coarse(lost).clamp_min(_LEAST))


def _coarse(x: Tensor) -> Tensor:
    """Average cells, and go from one to the next smoothly."""
    height, width = x.shape[2:]
    rows, columns = (max(1, round(side * _CELLS / max(height, width))) for side in (height, width))
    means = F.adaptive_avg_pool2d(x, (rows, columns))
    return F.interpolate(means, size=(height, width), mode="bilinear", align_corners=False)
