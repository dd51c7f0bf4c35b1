"""The slides' training objective, optimiser and augmentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from headroom.errors import UsageError
from headroom.nn.perceptual import LPIPS


class PaperLoss(nn.Module):
    """Weighted mean absolute error plus LPIPS, of pictures in [-1, 1].

    The slides' weights are 2 and 3; the released code has them the other way round.

    Args:
        lpips: The perceptual distance; needed unless its weight is 0.
        l1_weight: Weight of the mean absolute error.
        lpips_weight: Weight of LPIPS.

    Raises:
        UsageError: LPIPS has a weight but no network.
    """

    def __init__(self, lpips: LPIPS | None, *, l1_weight: float = 2.0, lpips_weight: float = 3.0) -> None:
        super().__init__()
        if lpips is None and lpips_weight:
            raise UsageError(
                f"LPIPS has weight {lpips_weight:g} but no network. Load one with load_lpips, or set the weight to 0 "
                "and train on the absolute error alone."
            )
        self.lpips = lpips
        self.l1_weight = l1_weight
        self.lpips_weight = lpips_weight

    def forward(self, prediction: Tensor, target: Tensor, alpha: Tensor | None = None) -> Tensor:
        """Return the loss of N x 3 x H x W pictures; `alpha` weights each value's absolute error."""
        error = (prediction - target).abs()
        loss = self.l1_weight * (error if alpha is None else alpha * error).mean()
        if self.lpips is None or not self.lpips_weight:
            return loss
        distance: Tensor = self.lpips(prediction, target)
        return loss + self.lpips_weight * distance.mean()


def clipped_alpha(clipped: Tensor, *, weight: float) -> Tensor:
    """Make the alpha map that counts clipped values `weight` times and others once; `clipped` is a share in [0, 1]."""
    return 1 + (weight - 1) * clipped


def slides_optimiser(parameters: Iterable[nn.Parameter]) -> torch.optim.Adam:
    """Make the slides' Adam over the parameters that train; the released code has AdamW."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    return torch.optim.Adam(trained, lr=9e-4, betas=(0.5, 0.999))


def random_flips(pictures: Sequence[Tensor], generator: torch.Generator) -> tuple[Tensor, ...]:
    """Mirror each place of the batch left to right and top to bottom, each with probability 1/2.

    Args:
        pictures: N x C x H x W tensors of one batch, such as LDR, HDR and mask; all are flipped alike.
        generator: Source of randomness; its device is where the coins are thrown.
    """
    batch = len(pictures[0])
    coins = torch.rand(2, batch, 1, 1, 1, generator=generator, device=generator.device) < 0.5
    flipped = tuple(pictures)
    for dimension, coin in zip((-1, -2), coins, strict=True):
        flipped = tuple(torch.where(coin.to(x.device), x.flip(dimension), x) for x in flipped)
    return flipped
