"""Windows, their shift and attention inside them, against torch's own attention and plain geometry."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from headroom.methods.sagiri.swin_blocks import DropPath, SwinBlock
from headroom.methods.sagiri.window_attention import WindowAttention, from_windows, shift_mask, to_windows


def bias_by_offset(table: Tensor, side: int) -> Tensor:
    """Look the bias of every pair of cells up, one by one: heads x L x L."""
    cells = [(row, column) for row in range(side) for column in range(side)]
    rows = [
        torch.stack([table[(r - s + side - 1) * (2 * side - 1) + c - d + side - 1] for s, d in cells]) for r, c in cells
    ]
    return torch.stack(rows).permute(2, 0, 1)


def test_windows_are_blocks_of_the_map_in_reading_order() -> None:
    x = torch.rand(2, 8, 12, 5)
    windows = to_windows(x, 4)
    assert windows.shape == (2, 6, 16, 5)
    assert torch.equal(windows[:, 4], x[:, 4:, 4:8].reshape(2, 16, 5))
    assert torch.equal(from_windows(windows, 4, 8, 12), x)


@pytest.mark.parametrize("masked", [False, True])
def test_attention_is_torchs_with_the_bias_as_a_mask(masked: bool) -> None:
    torch.manual_seed(0)
    ours, theirs = WindowAttention(12, 3, 4), nn.MultiheadAttention(12, 3, batch_first=True)
    nn.init.normal_(ours.relative_position_bias_table)
    qkv, out = ours.qkv, theirs.out_proj
    theirs.in_proj_weight, theirs.in_proj_bias = qkv.weight, qkv.bias
    out.weight, out.bias = ours.proj.weight, ours.proj.bias
    x = torch.randn(2, 6, 16, 12)
    mask = shift_mask(8, 12, 4) if masked else None
    scores = bias_by_offset(ours.relative_position_bias_table, 4).expand(2, 6, 3, 16, 16)
    if mask is not None:
        scores = scores.masked_fill(mask[:, None] != 0, -torch.inf)
    flat = x.reshape(12, 16, 12)
    expected, _ = theirs(flat, flat, flat, attn_mask=scores.reshape(36, 16, 16))
    torch.testing.assert_close(ours(x, mask), expected.view_as(x))


@pytest.mark.parametrize(("height", "width", "side"), [(8, 8, 8), (16, 24, 8), (12, 4, 4), (64, 64, 8)])
def test_mask_parts_cells_that_the_shift_brought_round_from_those_it_did_not(
    height: int, width: int, side: int
) -> None:
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    came_round = torch.stack((row + side // 2 >= height, column + side // 2 >= width), dim=-1)
    cells = to_windows(came_round[None], side)[0]
    strangers = (cells[:, :, None] != cells[:, None]).any(-1)
    assert torch.equal(shift_mask(height, width, side), torch.where(strangers, -100.0, 0.0))


@pytest.mark.parametrize("shifted", [False, True])
def test_a_cell_reaches_its_own_window_and_no_other(shifted: bool) -> None:
    """Windows of 4 start at 0, 4, 8, or shifted at -2, 2, 6, 10; none goes round the border."""
    torch.manual_seed(0)
    block = SwinBlock(12, 3, 4, 2.0, shifted=shifted, drop_path=0.0)
    mask = shift_mask(12, 8, 4)
    offset = 2 if shifted else 0
    window_row, window_column = (torch.arange(12) + offset) // 4, (torch.arange(8) + offset) // 4
    x = torch.randn(1, 12, 8, 12)
    for row, column in ((0, 0), (5, 3), (11, 7), (0, 7)):
        changed = x.clone()
        changed[0, row, column] = torch.randn(12) * 5
        with torch.no_grad():
            reached = (block(changed, mask) != block(x, mask)).any(-1)[0]
        own = (window_row == window_row[row])[:, None] & (window_column == window_column[column])
        assert torch.equal(reached, own)


def test_dropped_paths_are_whole_examples_and_keep_the_mean() -> None:
    torch.manual_seed(0)
    x, module = torch.ones(4000, 2, 3, 1), DropPath(0.25)
    dropped = module(x)
    assert {*dropped.unique().tolist()} == {0.0, torch.tensor(1 / 0.75).item()}
    assert torch.equal(dropped.amin((1, 2, 3)), dropped.amax((1, 2, 3)))
    assert dropped.mean().item() == pytest.approx(1, abs=5 * (0.25 / 0.75 / 4000) ** 0.5)
    assert torch.equal(module.eval()(x), x)
