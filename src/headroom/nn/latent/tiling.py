"""The autoencoder on pictures of any size, by overlapping tiles that fade into one another.

All tiles are normalised alike: as a patchwork is, of blocks from all over the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor

from headroom.nn.latent.prior import AUTOENCODER_FACTOR, LatentPrior
from headroom.nn.latent.shared_statistics import normalised_as
from headroom.nn.tiles import tiles
from headroom.nn.wrapping import with_margins, without_margins

TILE_PX = 1024
OVERLAP_PX = 128
_BLOCK = 16
"""Side of the patchwork's blocks in cells of latents: most of a block lies further from a cut than a layer sees."""


def encode_tiled(
    prior: LatentPrior, pictures: Tensor, *, tile_px: int = TILE_PX, overlap_px: int = OVERLAP_PX
) -> Tensor:
    """Do what `LatentPrior.encode` does, in the memory that a tile needs.

    Args:
        prior: Encodes; by the mode.
        pictures: N x 3 x H x W sRGB code values; sides are multiples of 8.
        tile_px: Longest side of a tile, a multiple of 8 and above `overlap_px`.
        overlap_px: How far two tiles overlap, a multiple of 8.
    """
    height, width = (side // AUTOENCODER_FACTOR for side in pictures.shape[2:])
    latents = pictures.new_zeros(len(pictures), prior.channels, height, width)
    side, overlap = (length // AUTOENCODER_FACTOR for length in (tile_px, overlap_px))
    patchwork = _patchwork(pictures, tile_px, _BLOCK * AUTOENCODER_FACTOR)
    encode = prior.encode if patchwork is None else normalised_as(patchwork, prior.encode)
    for rows, columns, fade in tiles(height, width, side, overlap):
        part = encode(pictures[..., _pixels(rows), _pixels(columns)])
        latents[..., rows, columns] += torch.from_numpy(fade[..., 0]).to(latents) * part
    return latents


def decode_tiled(
    prior: LatentPrior, latents: Tensor, *, tile_px: int = TILE_PX, overlap_px: int = OVERLAP_PX
) -> Tensor:
    """Do what `LatentPrior.decode` does, in the memory that a tile needs; see `encode_tiled`."""
    height, width = (side * AUTOENCODER_FACTOR for side in latents.shape[2:])
    pictures = latents.new_zeros(len(latents), 3, height, width)
    patchwork = _patchwork(latents, tile_px // AUTOENCODER_FACTOR, _BLOCK)
    decode = prior.decode if patchwork is None else normalised_as(patchwork, prior.decode)
    for rows, columns, fade in tiles(height, width, tile_px, overlap_px, AUTOENCODER_FACTOR):
        part = decode(latents[..., _cells(rows), _cells(columns)])
        pictures[..., rows, columns] += torch.from_numpy(fade[..., 0]).to(latents) * part
    return pictures


def decode_wrapping(prior: LatentPrior, latents: Tensor) -> Tensor:
    """Do what `decode_tiled` does for panoramas, whose left and right edges meet."""
    wide = with_margins(latents, OVERLAP_PX // AUTOENCODER_FACTOR)
    return without_margins(decode_tiled(prior, wide), OVERLAP_PX)


def _patchwork(x: Tensor, side: int, block: int) -> Tensor | None:
    """Sew blocks from all over N x C x h x w into what is no larger than a tile; None when `x` is not."""
    height, width = x.shape[2:]
    if max(height, width) <= side:
        return None
    block = min(block, side)
    return x[..., _spread(height, side, block), :][..., _spread(width, side, block)]


def _spread(length: int, side: int, block: int) -> Tensor:
    """Give the positions of blocks that are evenly spaced over a length and fill a side; all, where they do not."""
    if length <= side:
        return torch.arange(length)
    starts = torch.linspace(0, length - block, max(side // block, 1)).long()
    return (starts[:, None] + torch.arange(block)).flatten()


def _pixels(cells: slice) -> slice:
    return slice(cells.start * AUTOENCODER_FACTOR, cells.stop * AUTOENCODER_FACTOR)


def _cells(pixels: slice) -> slice:
    return slice(pixels.start // AUTOENCODER_FACTOR, pixels.stop // AUTOENCODER_FACTOR)
