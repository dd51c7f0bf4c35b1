"""A loss that counts edges: how far the differences of neighbouring pixels are from those of the truth."""

from __future__ import annotations

from torch import Tensor


def gradient_error(one: Tensor, other: Tensor) -> Tensor:
    """Compare N x C x H x W pictures: the mean absolute error of differences along columns plus that along rows."""
    error = one - other
    return error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
