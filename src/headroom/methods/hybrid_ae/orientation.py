"""Find HDR pictures of the data set that lie rotated or mirrored beside their LDR partner.

The released code compares an ImageNet-normalised photo with a log HDR, so its SSIM depends on exposure and curve. Here
each side is first replaced by the rank of its pixels, which no monotone curve changes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.methods.hybrid_ae.preprocessing import grey, luminance

_PATCH_PX = 100
_WINDOW_PX = 7


class Orientation(NamedTuple):
    """An HDR picture beside its LDR partner.

    Attributes:
        hdr: 3 x H x W, mirrored left to right first and then turned.
        quarter_turns: Anticlockwise quarter turns that were applied, 0 to 3.
        mirrored: True when it was mirrored.
        similarity: SSIM of both pictures' ranks, at most 1; below the threshold the pair is doubtful.
    """

    hdr: Tensor
    quarter_turns: int
    mirrored: bool
    similarity: float


def repair_orientation(ldr: Tensor, hdr: Tensor, *, threshold: float = 0.4, margin: float = 0.1) -> Orientation:
    """Turn and mirror `hdr` as `ldr` lies, when it is clear how; otherwise return it as it is.

    Args:
        ldr: 3 x H x W code values.
        hdr: 3 x H x W or 3 x W x H radiance.
        threshold: SSIM from which an orientation counts as right; as it lies, a picture needs no more.
        margin: SSIM by which another orientation must beat the one that the picture has.
    """
    reference = _ranked_centre(grey(ldr))
    tried = []
    for mirrored in (False, True):
        for quarter_turns in range(4):
            turned = torch.rot90(hdr.flip(-1) if mirrored else hdr, quarter_turns, (-2, -1))
            fits = turned.shape == ldr.shape
            score = _similarity(reference, _ranked_centre(luminance(turned))) if fits else -1.0
            tried.append(Orientation(turned, quarter_turns, mirrored, score))
    unchanged, best = tried[0], max(tried, key=lambda orientation: orientation.similarity)
    clear = best.similarity >= max(threshold, unchanged.similarity + margin)
    return best if clear and unchanged.similarity < threshold else unchanged


def _ranked_centre(plane: Tensor) -> Tensor:
    """Replace the central patch's values by their rank in [0, 1]; equal values share the middle of theirs."""
    top, left = (max(0, (side - _PATCH_PX) // 2) for side in plane.shape)
    patch = plane[top : top + _PATCH_PX, left : left + _PATCH_PX]
    _, inverse, counts = torch.unique(patch, return_inverse=True, return_counts=True)
    ranks: Tensor = (counts.cumsum(0) - counts / 2) / patch.numel()
    return ranks[inverse]


def _similarity(a: Tensor, b: Tensor) -> float:
    """Return the mean SSIM of two planes in [0, 1] (Wang et al. 2004, eq. 13) in uniform 7 x 7 windows."""
    window = min(_WINDOW_PX, *a.shape)
    planes = torch.stack((a, b, a * a, b * b, a * b)).unsqueeze(1)
    mean_a, mean_b, square_a, square_b, product = F.avg_pool2d(planes, window, stride=1).squeeze(1)
    covariance = product - mean_a * mean_b
    variances = square_a - mean_a.square() + square_b - mean_b.square()
    luminance_term = (2 * mean_a * mean_b + 1e-4) / (mean_a.square() + mean_b.square() + 1e-4)
    return float((luminance_term * (2 * covariance + 9e-4) / (variances + 9e-4)).mean())
