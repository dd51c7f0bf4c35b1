"""The unknown regions of a photo, filled by a method that makes content up; all but a band around them stays."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headroom.colour.strips import strips
from headroom.image import FloatImage, Photo
from headroom.methods.contract import Progress
from headroom.restore.repaint import Painter
from headroom.restore.srgb_like import own_codes, srgb_like_rows
from headroom.restore.unknown import Mask

_CONTEXT_PX = 128
"""What is seen around a region, on each side."""
_LEAST_SIDE_PX = 512
"""Of what is seen at once, where the photo is as large: the size that the priors were trained on."""
BAND_PX = 8
"""How far inside of a region what is made up has faded in."""

Box = tuple[slice, slice]
"""Rows and columns."""


def refine(photo: Photo, unknown: Mask, painter: Painter, progress: Progress) -> Photo:
    """Make up what a photo shows nothing of; its size, depth, curve and primaries stay.

    Args:
        photo: Of 8 or 16 bits.
        unknown: Outside of it no code changes.
        painter: A network that makes content up.
        progress: Told the finished share.
    """
    codes = photo.codes.copy()
    weight = _faded(unknown)
    boxes = list(regions(unknown))
    areas = np.cumsum([0, *(unknown[box].size for box in boxes)])
    for box, done, area in zip(boxes, areas, np.diff(areas), strict=False):

        def report(share: float, done: int = done, area: int = area) -> None:
            progress(float((done + share * area) / areas[-1]))

        part = replace(photo, codes=codes[box])
        painted = painter.paint(srgb_like_rows(part, slice(None)), unknown[box], photo.encoding.primaries, report)
        for rows in strips(painted.shape):  # Whole pictures of floats are what the memory goes to.
            part.codes[rows] = _faded_in(part, rows, painted[rows], weight[box][rows, :, None])
    progress(1.0)
    return replace(photo, codes=codes)


def _faded_in(photo: Photo, rows: slice, painted: FloatImage, weight: FloatImage) -> NDArray[Any]:
    """Give rows of a photo's codes, with what was painted laid over them where it has weight."""
    values = srgb_like_rows(photo, rows)
    values += weight * (painted - values)
    return np.where(weight > 0, own_codes(values, photo), photo.codes[rows])


def regions(unknown: Mask) -> Iterator[Box]:
    """Yield boxes that hold every unknown pixel with what is around it, and do not overlap."""
    height, width = unknown.shape
    _, _, found, _ = cv2.connectedComponentsWithStats(unknown, connectivity=8)
    boxes = [
        (*_widened(top, top + rows, height), *_widened(left, left + columns, width))
        for left, top, columns, rows, _ in found[1:].tolist()
    ]
    while boxes:
        box, others = boxes[0], boxes[1:]
        meeting = [other for other in others if _meet(box, other)]
        if not meeting:
            yield slice(*box[:2]), slice(*box[2:])
            boxes = others
            continue
        top, bottom, left, right = zip(box, *meeting, strict=True)
        union = (min(top), max(bottom), min(left), max(right))
        boxes = [union, *(other for other in others if other not in meeting)]


def largest_region(unknown: Mask) -> tuple[int, int]:
    """Give height and width of the largest box that `regions` yields, 1 where nothing is unknown."""
    sizes = (unknown[box].shape for box in regions(unknown))
    height, width = max(sizes, key=math.prod, default=(1, 1))
    return height, width


def _widened(start: int, stop: int, length: int) -> tuple[int, int]:
    """Add what is around a span, within a side of this length."""
    missing = max(2 * _CONTEXT_PX, _LEAST_SIDE_PX - (stop - start))
    start = max(start - missing // 2, 0)
    stop = min(stop + missing // 2, length)
    return max(min(start, stop - _LEAST_SIDE_PX), 0), min(max(stop, start + _LEAST_SIDE_PX), length)


def _meet(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def _faded(unknown: Mask) -> FloatImage:
    """Rise from 0 at the border of the unknown region to 1 a band inside of it, so that no seam shows: H x W.

    What is known, edges at the border among it, is sharper than anything made up, and stays.
    """
    distance: NDArray[np.float32] = cv2.distanceTransform(unknown, cv2.DIST_L2, cv2.DIST_MASK_3)
    weight: FloatImage = np.clip(distance / np.float32(BAND_PX), 0, 1)
    return weight
