"""Pictures whose left and right edges meet, as those of an equirectangular panorama do.

Convolutions can be told to look around the back, which is exact. What is tiled or works on cells sees margins instead,
which repeat what is behind the other edge, and fades from one view of it to the other.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.nn.in_place_of import InPlaceOf


class AroundTheBack(InPlaceOf):
    """Convolutions that are called in it, by this thread, see the left edge of N x C x h x w beyond the right one."""

    def __init__(self) -> None:
        super().__init__(F.conv2d, _wrapped_convolution)


def _wrapped_convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, int] = 1,
    padding: tuple[int, int] = (0, 0),
    *further: int,
) -> Tensor:
    rows, columns = padding
    wide = F.pad(x, (columns, columns, 0, 0), mode="circular") if columns else x
    return F.conv2d(wide, weight, bias, stride, (rows, 0), *further)


def with_margins(x: Tensor, margin: int, dim: int = -1) -> Tensor:
    """Repeat on either side what is behind the other edge: `dim` becomes longer by twice the margin."""
    length = x.shape[dim]
    return x.index_select(dim, torch.arange(-margin, length + margin, device=x.device) % length)


def without_margins(x: Tensor, margin: int, dim: int = -1) -> Tensor:
    """Take margins off what came of a picture that has them.

    At the edge itself both views of it have the same say; half a margin away from it only the one that sees it in the
    middle has.
    """
    length = x.shape[dim] - 2 * margin
    reach = min(margin, length) // 2
    result = x.narrow(dim, margin, length).clone()
    shape = [1] * x.ndim
    shape[dim] = reach
    say = ((torch.arange(reach) + 0.5) / (2 * reach) + 0.5).view(shape).to(x)  # from a half to 1
    start, end = result.narrow(dim, 0, reach), result.narrow(dim, length - reach, reach)
    start.copy_(x.narrow(dim, margin + length, reach).lerp(start, say))
    end.copy_(x.narrow(dim, margin - reach, reach).lerp(end, say.flip(dim)))
    return result
