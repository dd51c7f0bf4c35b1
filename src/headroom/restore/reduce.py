"""Photos as networks see them: tensors of sRGB-like codes, linear light and clipping, whole but coarse or cut out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from headroom.colour.code_ends import CRUSHED_BELOW_CODE
from headroom.colour.transfer import decode, decode_codes, encode
from headroom.image import Encoding, Photo
from headroom.methods.contract import ExpandInput
from headroom.nn.padding import pad_to_multiple
from headroom.restore.srgb_like import SRGB_LIKE

_STRIP_ROWS = 256


def network_codes(photo: Photo, encoding: Encoding) -> NDArray[np.uint8]:
    """Give a photo's codes as 8-bit sRGB-like ones, H x W x 3, which is what networks were trained on."""
    if photo.codes.dtype == np.uint8 and encoding.transfer in SRGB_LIKE:
        return photo.codes.astype(np.uint8, copy=False)
    result = np.empty(photo.codes.shape, dtype=np.uint8)
    for start in range(0, photo.height, _STRIP_ROWS):
        rows = slice(start, start + _STRIP_ROWS)
        linear = decode_codes(photo.codes[rows], encoding, photo.bit_depth)
        result[rows] = np.rint(np.clip(encode(linear, "srgb"), 0, 1) * 255)
    return result


def reduced_input(codes: NDArray[np.uint8], clipped: NDArray[np.bool_], cell_px: int) -> ExpandInput:
    """Average squares of pixels into cells; those at the right and bottom may be cut off by the photo's edge.

    Args:
        codes: H x W x 3 sRGB-like codes.
        clipped: H x W x 3.
        cell_px: Side of a square.

    Returns:
        1 x 3 x ceil(H / cell_px) x ceil(W / cell_px) tensors.
    """
    planes = codes, _as_codes(clipped), _as_codes(codes < CRUSHED_BELOW_CODE)
    return _tensors(*(np.asarray(Image.fromarray(plane).reduce(cell_px)) for plane in planes))


def full_input(codes: NDArray[np.uint8], clipped: NDArray[np.bool_]) -> ExpandInput:
    """Give 1 x 3 x H x W tensors at full resolution."""
    return _tensors(codes, _as_codes(clipped), _as_codes(codes < CRUSHED_BELOW_CODE))


def pad_input(inputs: ExpandInput, multiple: int, minimum_px: int) -> ExpandInput:
    """Repeat the last row and column of each tensor; see `pad_to_multiple`."""
    return inputs.mapped(lambda tensor: pad_to_multiple(tensor, multiple, minimum_px))


def _as_codes(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return mask.astype(np.uint8) * np.uint8(255)


def _tensors(codes: NDArray[np.uint8], *shares: NDArray[np.uint8]) -> ExpandInput:
    encoded, *rest = (np.float32(1 / 255) * plane for plane in (codes, *shares))
    return ExpandInput(*map(_planar, (encoded, decode(encoded, "srgb"), *rest)))


def _planar(image: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
