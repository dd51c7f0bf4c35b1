"""What Latent-SwinIRc learns from: colour histograms, frequencies and pixels (Sagiri, appendix D.1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

COLOUR_WEIGHT, FREQUENCY_WEIGHT, PIXEL_WEIGHT = 10.0, 1.0, 0.1
"""Weights of the three terms (Sagiri eq. 7)."""

BINS = 64
"""Bins of a histogram. The paper names no number. The released code has 256, one for each 8-bit code of the truth, so
that the gaps which a tone curve leaves between codes would be learnt as well."""


def soft_histogram(x: Tensor, *, bins: int = BINS, bandwidth: float = 1.0) -> Tensor:
    """Count values into equal bins of [0, 1] so that every count has a gradient.

    Each value is smeared evenly over `bandwidth` bins, and a bin gets the part that lies inside it. At 1 that is
    triangular weighting by the distance to the bin's centre; towards 0 it becomes the plain histogram, whose counts
    are steps without a gradient. Values below 0 count in the first bin and values above 1 in the last.

    Args:
        x: ... x L values.
        bins: How many bins.
        bandwidth: Width of the smear in bins, above 0 and at most 1, so that two bins at most share a value.

    Returns:
        ... x bins shares of the values; they sum to 1.
    """
    position = x.float() * bins
    edge = position.detach().round()  # the one between two bins that the smear can reach
    above = ((position - edge) / bandwidth + 0.5).clamp(0, 1)
    right = edge.long().clamp(0, bins - 1)
    left = (edge.long() - 1).clamp(0, bins - 1)
    counts = position.new_zeros(*x.shape[:-1], bins)
    counts = counts.scatter_add(-1, right, above).scatter_add(-1, left, 1 - above)
    return counts / x.shape[-1]


def colour_distribution_loss(prediction: Tensor, target: Tensor, *, bins: int = BINS) -> Tensor:
    """Sum over bins of |h(prediction) - h(target)| (Sagiri eq. 4), 0 to 2; mean over images and channels.

    The released code takes one histogram of the whole batch by `torch.histc`, which has no gradient: there this term
    trains nothing. Here each image and channel has its own, so that images and colours can't stand in for each other.

    Args:
        prediction: N x 3 x H x W code values.
        target: The same of the truth, in [0, 1].
        bins: Bins of a histogram.
    """
    ours, theirs = (soft_histogram(x.flatten(2), bins=bins) for x in (prediction, target))  # N x 3 x bins
    return (ours - theirs).abs().sum(-1).mean()


def frequency_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean modulus of the difference of two pictures' Fourier transforms (Sagiri eq. 5).

    The transform is not normalised, as in the released code: noise in the difference counts sqrt(H W) times its
    deviation, and a constant difference counts once.
    """
    transform: Tensor = torch.fft.fft2(prediction.float() - target.float())
    return transform.abs().mean()


def colour_reconstruction_losses(prediction: Tensor, target: Tensor, *, bins: int = BINS) -> dict[str, Tensor]:
    """Give the three terms and their weighted `total` (Sagiri eq. 7).

    The pixel term is the paper's, a mean (eq. 6). The released code has 1e-4 times the sum instead: at its 16 crops of
    512 x 512 that is a weight of 1258 on the mean.

    Args:
        prediction: N x 3 x H x W code values.
        target: The same of the truth, in [0, 1].
        bins: Bins of a histogram.
    """
    colour = colour_distribution_loss(prediction, target, bins=bins)
    frequency = frequency_loss(prediction, target)
    pixels = F.mse_loss(prediction.float(), target.float())
    total = COLOUR_WEIGHT * colour + FREQUENCY_WEIGHT * frequency + PIXEL_WEIGHT * pixels
    return {"colour": colour, "frequency": frequency, "pixels": pixels, "total": total}
