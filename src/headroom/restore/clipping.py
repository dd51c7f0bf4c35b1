"""Which code values of a photo are clipped or crushed: the lines between what was measured and what is recovered.

A code is clipped when it is the top one. In a compressed photo that line is blurred: codes just below the top count as
clipped too where a top code is within the reach of a compressed block, because compression may have pushed them there,
and where they fill most of a block, because a burnt-out area that was scaled or compressed again lies a few codes
below the top. Codes elsewhere are measured, however bright. In camera RAW, a pixel has two of its three codes from its
neighbours, so those beside a clipped one are no measurement either.

At the other end of the range a code is crushed when rounding it takes away more than a sixteenth of its value. It is
a measurement only in that its light was below that of the first code that is not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from headroom.colour.code_ends import CRUSHED_BELOW_CODE
from headroom.colour.transfer import decode_codes
from headroom.image import FloatImage, Photo

_LEAST_STEP = 5
"""Codes below the top that may count in any compressed photo, also where its quantisation tables allow for less."""
_BLOCK_PX = 8
"""Side of the blocks in which JPEG and WebP spread their error."""


def clipped_codes(photo: Photo) -> NDArray[np.bool_]:
    """Say for every code value whether it is clipped, and so no measurement: H x W x 3."""
    top: NDArray[np.bool_] = photo.codes >= photo.top_code
    if photo.encoding.sensor_matrix is not None:
        return grown(top)
    if photo.lossy_step <= 0:
        return top
    within_error: NDArray[np.bool_] = photo.codes >= photo.top_code - max(_LEAST_STEP, np.ceil(photo.lossy_step))
    burnt_out = blocks_with(top) | (share_of_blocks(within_error) > 0.5)
    return within_error & of_blocks(grown(burnt_out), top.shape)


def crushed_codes(photo: Photo) -> NDArray[np.bool_]:
    """Say for every code value whether it is crushed: H x W x 3; of floats, only zeros are."""
    return np.asarray(photo.codes < _crushed_below(photo))


def crush_level(photo: Photo) -> FloatImage:
    """Give the light, of each of 3 channels, that crushed codes were below."""
    code = np.full((1, 1, 3), _crushed_below(photo), photo.codes.dtype)
    light: FloatImage = decode_codes(code, photo.encoding, photo.bit_depth)[0, 0]
    return light


def _crushed_below(photo: Photo) -> float:
    return CRUSHED_BELOW_CODE * photo.top_code / float(2**photo.bit_depth - 1)


def recovery_weight(clipped: NDArray[np.bool_], *, wraps: bool = False) -> NDArray[np.uint8]:
    """Turn clipped or crushed codes into the weight of what is recovered there: H x W x 3, 0 to 255.

    0 at every measured code. Just inside a straight border it starts above a half, because lamps do end sharply, and
    rises to 255 over a rim that is wider in larger photos. With `wraps`, the left and right edges of the photo meet.
    """
    radius = max(1, round(max(clipped.shape[:2]) / 1500))
    if wraps:
        wide = np.pad(clipped, ((0, 0), (radius, radius), (0, 0)), mode="wrap")
        return recovery_weight(wide)[:, radius:-radius]
    weight = clipped.astype(np.uint8) * 255
    share = Image.fromarray(weight).filter(ImageFilter.BoxBlur(radius))
    # On a straight edge half the box is clipped; a quarter more keeps thin lamps from fading away.
    rim: NDArray[np.uint8] = np.asarray(share.point([min(255, code * 5 // 4) for code in range(256)] * 3))
    return np.minimum(weight, rim)


def blocks_with(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which blocks of 8 x 8 pixels hold anything of a mask, H x W x 3."""
    return np.asarray(share_of_blocks(mask) > 0)


def share_of_blocks(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Give the share of each block of 8 x 8 pixels that a mask, H x W x 3, covers."""
    # The mean over a block of 64 codes rounds to at least 4 when one of them is 255.
    means = np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).reduce(_BLOCK_PX))
    return np.asarray(means / np.float32(255))


def grown(blocks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Grow a mask by its eight neighbours."""
    padded = np.pad(blocks, ((1, 1), (1, 1), (0, 0)))
    rows = padded[:-2] | padded[1:-1] | padded[2:]
    return rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]


def of_blocks(blocks: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Spread a mask of blocks over the pixels of a picture of this shape."""
    return blocks.repeat(_BLOCK_PX, axis=0).repeat(_BLOCK_PX, axis=1)[: shape[0], : shape[1]]
