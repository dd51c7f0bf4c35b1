"""What JPEG does to a picture, in tensors: colour transform, chroma subsampling and quantised 8 x 8 DCT blocks."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# ITU-T T.81 annex K, the tables that most encoders scale by quality.
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8 for _ in range(4)),
)
_RGB_TO_YCC = ((0.299, 0.587, 0.114), (-0.168735892, -0.331264108, 0.5), (0.5, -0.418687589, -0.081312411))


def jpeg_round_trip(codes: Tensor, quality: Tensor, *, subsample: bool) -> Tensor:
    """Compress and decompress.

    Args:
        codes: N x 3 x H x W in [0, 1]; H and W are multiples of 16.
        quality: N, 1 to 100 in the scale of libjpeg.
        subsample: Halve the chroma planes on both sides (4:2:0).

    Returns:
        N x 3 x H x W in [0, 1], on the grid of 8-bit codes.
    """
    matrix = torch.tensor(_RGB_TO_YCC, device=codes.device)
    ycc = torch.einsum("ij,njhw->nihw", matrix, codes * 255)
    luma, chroma = ycc[:, :1] - 128, ycc[:, 1:]
    luma = _quantise_blocks(luma, _scaled(_LUMA, quality))
    if subsample:
        chroma = _quantise_blocks(F.avg_pool2d(chroma, 2), _scaled(_CHROMA, quality))
        chroma = F.interpolate(chroma, scale_factor=2.0, mode="bilinear", align_corners=False)
    else:
        chroma = _quantise_blocks(chroma, _scaled(_CHROMA, quality))
    rgb = torch.einsum("ij,njhw->nihw", torch.linalg.inv(matrix), torch.cat((luma + 128, chroma), dim=1))
    return rgb.round().clamp(0, 255) / 255


def _scaled(table: tuple[tuple[int, ...], ...], quality: Tensor) -> Tensor:
    """Quantisation steps N x 1 x 1 x 1 x 8 x 8 of libjpeg's quality scale."""
    percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality).view(-1, 1, 1, 1, 1, 1)
    base = torch.tensor(table, dtype=torch.float32, device=quality.device)
    return ((base * percent + 50) / 100).floor().clamp(1, 255)


def _quantise_blocks(plane: Tensor, steps: Tensor) -> Tensor:
    dct = _dct_matrix(plane.device)
    blocks = plane.view(*plane.shape[:2], plane.shape[2] // 8, 8, plane.shape[3] // 8, 8).transpose(3, 4)
    coefficients = dct @ blocks @ dct.T
    restored: Tensor = dct.T @ ((coefficients / steps).round() * steps) @ dct
    return restored.transpose(3, 4).flatten(4, 5).flatten(2, 3)


def _dct_matrix(device: torch.device) -> Tensor:
    """Orthonormal type-2 DCT, 8 x 8."""
    positions = torch.arange(8, dtype=torch.float32, device=device)
    matrix = torch.cos(math.pi / 8 * positions[:, None] * (positions + 0.5)) / 2
    matrix[0] /= math.sqrt(2)
    return matrix
