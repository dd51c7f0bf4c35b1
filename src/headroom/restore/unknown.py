"""Where a photo shows nothing, so that its content may be made up: found in its codes, or drawn by a person."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headroom.colour.code_ends import BLOWN_CODE
from headroom.colour.strips import strips
from headroom.errors import InputError
from headroom.image import Photo
from headroom.restore.srgb_like import srgb_like_rows

Mask = NDArray[np.uint8]
"""H x W, 1 where content may be made up, else 0."""

CRUSHED_CODE = 5 / 255
_PX_PER_RADIUS = 1000


def unknown_region(codes: Tensor, *, blown: float = BLOWN_CODE, crushed: float = CRUSHED_CODE) -> Tensor:
    """Mark pixels all of whose channels are blown, or all crushed.

    Sagiri marks single channels of code 0 or 255. Here a pixel is known as long as one channel shows something, since a
    pure colour has channels at 0 anywhere, and codes near both ends count, since JPEG moves them.

    Args:
        codes: N x 3 x H x W in [0, 1].
        blown: Code from which on a channel shows nothing.
        crushed: Code up to which a channel shows nothing.

    Returns:
        N x 1 x H x W of 0 and 1.
    """
    # Half a code of tolerance, because 250 / 255 is no exact number.
    half_code = 0.5 / 255
    all_blown = codes.amin(1, keepdim=True) > blown - half_code
    all_crushed = codes.amax(1, keepdim=True) < crushed + half_code
    return (all_blown | all_crushed).to(codes.dtype)


def find_unknown(photo: Photo) -> Mask:
    """Find the unknown region of a photo, without specks, and a little beyond its border, which is no better known.

    Specks are thinner than a five-hundredth of the photo's long side; the border is about as wide.
    """
    found = np.empty((photo.height, photo.width), np.uint8)
    for rows in strips(photo.codes.shape):
        values = torch.from_numpy(srgb_like_rows(photo, rows)).permute(2, 0, 1)[None]
        found[rows] = unknown_region(values)[0, 0].numpy()
    return with_border(np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, _disc(_radius_px(found)))))


def with_border(unknown: Mask) -> Mask:
    """Widen an unknown region a little beyond its border, which is no better known."""
    return np.asarray(cv2.dilate(unknown, _disc(2 * _radius_px(unknown))))


def drawn_unknown(drawn: NDArray[Any], photo: Photo) -> Mask:
    """Fit a mask that a person has drawn to a photo: what is lighter than half of white is to be made up.

    Args:
        drawn: h x w or h x w x C of booleans, integers or floats in [0, 1], with the photo's aspect ratio.
        photo: The photo.

    Raises:
        InputError: Another aspect ratio or kind of values, or nothing is to be made up.
    """
    if drawn.ndim not in {2, 3} or drawn.size == 0 or drawn.dtype.kind not in "bfu":
        raise InputError(f"mask of shape {drawn.shape} and type {drawn.dtype}: give an H x W array of 0 to 255.")
    height, width = drawn.shape[:2]
    # Whoever scales a mask rounds its sides.
    if min(abs(width - photo.width * height / photo.height), abs(height - photo.height * width / photo.width)) > 1:
        raise InputError(
            f"mask of {width} x {height} pixels: does not fit a photo of {photo.width} x {photo.height}. "
            "Draw it over the photo, at its size or smaller."
        )
    white = np.iinfo(drawn.dtype).max if drawn.dtype.kind == "u" else 1
    lightest = drawn if drawn.ndim == 2 else drawn.max(axis=2)
    mask = (lightest > white / 2).astype(np.uint8)
    if not mask.any():
        raise InputError("mask: is black everywhere. Paint white what is to be made up, or ask for none.")
    nearest: Mask = cv2.resize(mask, (photo.width, photo.height), interpolation=cv2.INTER_NEAREST_EXACT)
    return nearest


def _radius_px(mask: Mask) -> int:
    longest: int = max(mask.shape)
    return max(1, round(longest / _PX_PER_RADIUS))


def _disc(radius: int) -> NDArray[np.uint8]:
    disc: NDArray[np.uint8] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    return disc
