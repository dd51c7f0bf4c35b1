"""The change of colours between cells and pixels, against plain least squares and plain curves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.restore.guided import colour_rows, fit_colour_change


def texture(height: int, width: int, seed: int = 0) -> Tensor:
    """Make a picture with an edge, shades and grain: 1 x 3 x H x W in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    shades = torch.stack((0.1 + 0.3 * y, 0.15 + 0.2 * x, 0.2 + 0.1 * x * y))
    edged = torch.where(x > 0.5 + 0.1 * torch.sin(9 * y), shades + 0.5, shades)
    return (edged + 0.01 * torch.randn(3, height, width, generator=generator)).clamp(0, 1)[None]


def at_full_size(photo: Tensor, change: object, cell: int, **settings: float) -> Tensor:
    before = F.avg_pool2d(photo, cell, ceil_mode=True)
    rows = colour_rows(fit_colour_change(before, change(before), **settings), cell)  # type: ignore[operator]
    return rows(photo[0].permute(1, 2, 0), 0).permute(2, 0, 1)[None]


@pytest.mark.parametrize("cell", [2, 5, 8])
def test_no_change_is_none_at_all(cell: int) -> None:
    photo = texture(80, 120)
    assert torch.equal(at_full_size(photo, lambda cells: cells, cell), photo)


def test_an_affine_change_of_colours_is_found() -> None:
    matrix = torch.tensor([[1.5, 0.2, -0.1], [0.0, 2.0, 0.1], [0.3, -0.2, 1.2]])

    def change(colours: Tensor) -> Tensor:
        return torch.einsum("oi,nihw->nohw", matrix, colours) + 0.05

    photo = texture(96, 128)
    found = at_full_size(photo, change, 4, epsilon=1e-9)
    assert (found - change(photo)).abs().mean() < 2e-3


def test_a_cell_is_fitted_by_least_squares() -> None:
    generator = torch.Generator().manual_seed(1)
    before, after = torch.rand(2, 1, 3, 9, 11, generator=generator)
    epsilon = 1e-3
    found = fit_colour_change(before, after, radius=2, epsilon=epsilon)[0].view(3, 4, 9, 11)
    fits = np.zeros((9, 11, 3, 4))
    for row, column in np.ndindex(9, 11):
        window = np.s_[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
        x, y = (each[0].permute(1, 2, 0).double().numpy()[window].reshape(-1, 3) for each in (before, after))
        # As many rows more whose solution is that nothing changes.
        centred = np.vstack((x - x.mean(0), np.sqrt(epsilon * len(x)) * np.eye(3)))
        change = np.vstack(((y - x) - (y - x).mean(0), np.zeros((3, 3))))
        slopes = np.linalg.lstsq(centred, change, rcond=None)[0].T
        fits[row, column] = np.hstack((slopes, ((y - x).mean(0) - slopes @ x.mean(0))[:, None]))
    middle = fits[2:7, 3:8].mean((0, 1))  # of all windows that hold the cell in the middle
    np.testing.assert_allclose(found[:, :, 4, 5].numpy(), middle, atol=1e-5)


@pytest.mark.parametrize("cell", [3, 8])
def test_edges_have_no_halo_and_a_curve_is_followed(cell: int) -> None:
    photo = texture(240, 320)
    expected = photo.sqrt()
    found = at_full_size(photo, torch.sqrt, cell)
    assert -10 * torch.log10(((found - expected) ** 2).mean()) > 36
    dark = photo[:, :, :, :100]  # left of the edge
    assert found[..., :100].max() < dark.max().sqrt() + 0.03
    assert found[..., 220:].min() > photo[:, :, :, 220:].min().sqrt() - 0.03


def test_noise_is_amplified_no_more_than_by_the_curve() -> None:
    noise = 0.01 * torch.randn(1, 3, 160, 160, generator=torch.Generator().manual_seed(2))
    photo = 0.1 + noise
    slope = 0.5 / 0.1**0.5
    found = at_full_size(photo, torch.sqrt, 8)
    assert found.std() <= slope * photo.std() * 1.05


def test_rows_are_those_of_the_whole() -> None:
    photo = texture(66, 90)
    padded = F.pad(photo, (0, 6, 0, 6), mode="replicate")
    before = F.avg_pool2d(padded, 8)
    rows = colour_rows(fit_colour_change(before, before**0.7), 8)
    image = photo[0].permute(1, 2, 0)
    parts = [rows(image[start : start + 13], start) for start in range(0, 66, 13)]
    torch.testing.assert_close(torch.cat(parts), rows(image, 0))
