"""The three frames of a bracket that networks with three places see."""

from __future__ import annotations

import torch
from torch import Tensor


def short_reference_long(frames: Tensor, reference: Tensor) -> Tensor:
    """Pick the frame of least exposure, the reference and the frame of most exposure.

    A reference at an end of the bracket stands in two places.

    Args:
        frames: N x F x ... anything of each frame, in ascending exposure.
        reference: N, index of the reference, int64.

    Returns:
        N x 3 x ...
    """
    first = torch.zeros_like(reference)
    last = torch.full_like(reference, frames.shape[1] - 1)
    places = torch.stack((first, reference, last), dim=1)  # N x 3
    return frames[torch.arange(len(frames), device=frames.device)[:, None], places]
