"""Self-attention inside square windows of a feature map, straight or shifted.

Source: Liu et al. 2021, "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", section 3.2.
Attention over a whole picture costs the square of its area; over windows of M x M cells it costs M^2 times the area.
Every other block shifts its windows by half their side, so that what one block keeps apart the next one joins.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_FORBIDDEN = -100.0
"""Added to a score so that its softmax is 0 in float32; the number that released masks hold."""


def to_windows(x: Tensor, side: int) -> Tensor:
    """Cut N x H x W x C into N x windows x side^2 x C; H and W are multiples of `side`."""
    n, h, w, c = x.shape
    x = x.reshape(n, h // side, side, w // side, side, c).transpose(2, 3)
    return x.reshape(n, -1, side * side, c)


def from_windows(windows: Tensor, side: int, height: int, width: int) -> Tensor:
    """Put the windows of `to_windows` together again: N x windows x side^2 x C to N x height x width x C."""
    n, _, _, c = windows.shape
    x = windows.reshape(n, height // side, width // side, side, side, c).transpose(2, 3)
    return x.reshape(n, height, width, c)


def shift_mask(height: int, width: int, side: int) -> Tensor:
    """Make the windows x side^2 x side^2 scores that keep strangers in a shifted window apart: 0, or -100 to forbid.

    Shifting is cyclic: the last windows hold cells from opposite borders of the map, which are no neighbours. Rows
    fall into three bands, those before the last window and the two halves of that one, and columns likewise. A cell
    may attend to cells of its own band of rows and of columns alone.
    """
    rows, columns = (_bands(length, side) for length in (height, width))
    regions = rows[:, None] * 3 + columns  # H x W, nine of them
    cells = to_windows(regions[None, :, :, None], side)[0]  # windows x side^2 x 1
    return torch.where(cells == cells.transpose(1, 2), 0.0, _FORBIDDEN)


def _bands(length: int, side: int) -> Tensor:
    """Give the band, 0 to 2, of each row or column of a shifted map."""
    index = torch.arange(length)
    return (index >= length - side).long() + (index >= length - side // 2).long()


def offset_index(side: int) -> Tensor:
    """Number the offset between every two cells of a window: side^2 x side^2 integers below (2 side - 1)^2."""
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    down, right = ((x.flatten()[:, None] - x.flatten()) + side - 1 for x in (row, column))  # each 0 to 2 side - 2
    return down * (2 * side - 1) + right


class WindowAttention(nn.Module):
    """Multi-head attention inside windows: softmax(Q K^T / sqrt(d) + B) V (Swin Transformer eq. 4).

    B is learned, one number for each offset between two cells and each head.

    Args:
        channels: Channels of the features, a multiple of `heads`.
        heads: Heads of the attention.
        side: Side of a window in cells.
    """

    offset_index: Tensor

    def __init__(self, channels: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (channels // heads) ** -0.5
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * side - 1) ** 2, heads))
        self.register_buffer("offset_index", offset_index(side), persistent=False)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Attend inside each of N x windows x L x C; `mask` is windows x L x L, added to the scores."""
        n, windows, length, c = x.shape
        qkv = self.qkv(x).view(n, windows, length, 3, self.heads, c // self.heads)
        query, key, value = qkv.permute(3, 0, 1, 4, 2, 5)  # each N x windows x heads x L x C / heads
        bias = self.relative_position_bias_table[self.offset_index].permute(2, 0, 1)  # heads x L x L
        scores = (query * self.scale) @ key.transpose(-2, -1) + bias
        if mask is not None:
            scores = scores + mask[:, None]
        mixed = scores.softmax(-1) @ value
        attended: Tensor = self.proj(mixed.transpose(2, 3).reshape(n, windows, length, c))
        return attended
