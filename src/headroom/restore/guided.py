"""What a network makes of a reduced photo, brought to the photo's own size along the photo's own edges.

In every small window the change of colours is fitted as an affine function of the colours there, the guided filter of
He et al. 2013; fitted on the reduced photo and applied to the full one it is the fast guided filter (He and Sun 2015).
So detail comes from the photo, and no code of it is blurred.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

RADIUS = 1
"""Of a window, in cells."""
EPSILON = 1e-4
"""Variance of codes, in [0, 1], below which a window says little about what its colours become."""

ColourRows = Callable[[Tensor, int], Tensor]
"""Changes R x W x 3 values that begin at this row of the photo."""


def fit_colour_change(before: Tensor, after: Tensor, *, radius: int = RADIUS, epsilon: float = EPSILON) -> Tensor:
    """Fit, around every cell, the change of colours as an affine function of the colours before.

    Where nothing changes the fit is exactly zero.

    Args:
        before: 1 x 3 x h x w.
        after: 1 x 3 x h x w.
        radius: Of the windows, in cells.
        epsilon: Weight of having no slope, as a variance.

    Returns:
        1 x 12 x h x w: of each cell, three rows of a 3 x 4 matrix.
    """
    _, _, h, w = before.shape
    x, change = before.double(), (after - before).double()  # whose variances are small differences of squares
    products = torch.cat((_outer(x, x), _outer(x, change)), 1)
    means = _box(torch.cat((x, change, products), 1), radius)
    mean_x, mean_change = means[:, :3], means[:, 3:6]
    moments = torch.cat((_outer(mean_x, mean_x), _outer(mean_x, mean_change)), 1)
    covariance, shared = (means[:, 6:] - moments).view(2, 3, 3, h, w).permute(0, 3, 4, 1, 2)  # h x w x 3 x 3 each
    slopes = torch.linalg.solve(covariance + epsilon * torch.eye(3, dtype=x.dtype), shared)
    matrix = slopes.permute(3, 2, 0, 1)  # of the change by channel, in each channel before: 3 x 3 x h x w
    offset = mean_change[0] - (matrix * mean_x).sum(1)
    numbers = torch.cat((matrix, offset[:, None]), 1).reshape(1, 12, h, w)
    return _box(numbers, radius).float()


def colour_rows(numbers: Tensor, cell_px: int) -> ColourRows:
    """Interpolate what `fit_colour_change` gave between its cells, whose sides are `cell_px` pixels."""

    def change(values: Tensor, start: int) -> Tensor:
        rows, columns = values.shape[:2]
        above = max(start // cell_px - 1, 0)
        below = -(-(start + rows) // cell_px) + 1
        part = numbers[:, :, above:below]
        size = (part.shape[2] * cell_px, part.shape[3] * cell_px)
        fine = F.interpolate(part, size=size, mode="bilinear", align_corners=False)
        matrix = fine[0, :, start - above * cell_px :][:, :rows, :columns].view(3, 4, rows, columns)
        planes = values.permute(2, 0, 1)
        changed = planes + (matrix[:, :3] * planes).sum(1) + matrix[:, 3]
        return changed.permute(1, 2, 0)

    return change


def _outer(x: Tensor, y: Tensor) -> Tensor:
    """Multiply every channel by every other: 1 x 9 x h x w."""
    return (x[:, :, None] * y[:, None]).flatten(1, 2)


def _box(x: Tensor, radius: int) -> Tensor:
    return F.avg_pool2d(x, 2 * radius + 1, stride=1, padding=radius, count_include_pad=False)
