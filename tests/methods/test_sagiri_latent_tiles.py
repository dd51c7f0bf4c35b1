from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from headroom.methods.sagiri.latent_tiles import LatentTile, mixed, tiles_touching


def region(*marked: tuple[int, int], size: tuple[int, int] = (40, 56)) -> Tensor:
    found = torch.zeros(1, 1, *size)
    for row, column in marked:
        found[..., row, column] = 1
    return found


def picture() -> Tensor:
    return torch.randn(2, 4, 40, 56, generator=torch.Generator().manual_seed(0))


def test_a_tile_that_holds_everything_is_everything() -> None:
    (tile,) = tiles_touching(region((3, 3)), side=64, overlap=16, multiple=4)
    given = picture()
    assert tile == (slice(0, 40), slice(0, 56))
    whole = mixed([tile], lambda at: given[..., at.rows, at.columns], given)
    torch.testing.assert_close(whole, given)


@pytest.mark.parametrize(("side", "overlap", "multiple"), [(16, 4, 4), (24, 8, 8)])
def test_tiles_lie_on_multiples_and_cover_what_is_touched(side: int, overlap: int, multiple: int) -> None:
    marked = region((0, 0), (20, 30), (39, 55))
    chosen = tiles_touching(marked, side, overlap, multiple)
    everything = tiles_touching(torch.ones_like(marked), side, overlap, multiple)
    assert 0 < len(chosen) < len(everything)
    for tile in chosen:
        for piece in tile:
            assert piece.start % multiple == piece.stop % multiple == 0
            assert piece.stop - piece.start <= side
    covered = torch.zeros(40, 56)
    for rows, columns in chosen:
        covered[rows, columns] = 1
    assert covered[marked[0, 0] > 0].all()


def test_nothing_is_evaluated_where_nothing_is_marked() -> None:
    assert not tiles_touching(region(), side=16, overlap=4, multiple=4)
    assert not mixed([], lambda _tile: torch.zeros(0), picture()).any()


def test_what_tiles_agree_on_comes_through() -> None:
    given, marked = picture(), region((10, 10))
    chosen = tiles_touching(marked, side=16, overlap=4, multiple=4)
    result = mixed(chosen, lambda at: given[..., at.rows, at.columns], given)
    inside = torch.zeros(40, 56, dtype=torch.bool)
    for rows, columns in chosen:
        inside[rows, columns] = True
    torch.testing.assert_close(result[..., inside], given[..., inside])
    assert not result[..., ~inside].any()


def test_weights_are_gaussians_around_the_middles() -> None:
    left, right = LatentTile(slice(0, 8), slice(0, 16)), LatentTile(slice(0, 8), slice(8, 24))
    values = {0: 0.0, 8: 1.0}
    result = mixed(
        [left, right],
        lambda at: torch.full((1, 1, 8, 16), values[at.columns.start]),
        torch.zeros(1, 1, 8, 24),
    )
    column = np.arange(24) + 0.5
    one, other = (np.exp(-(((column - middle) / 16) ** 2) / 0.02) for middle in (8, 16))
    expected = np.where(column < 8, 0, np.where(column > 16, 1, other / (one + other)))
    np.testing.assert_allclose(result[0, 0, 3].numpy(), expected, atol=1e-6)
