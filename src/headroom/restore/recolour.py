"""A photo's colours as an enhance method maps them, at any size and depth."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch

from headroom.image import FloatImage, Photo
from headroom.methods.contract import Progress
from headroom.restore.guided import ColourRows, colour_rows, fit_colour_change
from headroom.restore.repaint import Painter
from headroom.restore.srgb_like import own_codes, srgb_like_rows


def recolour(photo: Photo, painter: Painter, progress: Progress) -> Photo:
    """Map a photo's colours; its size, depth, curve and primaries stay.

    Args:
        photo: Of 8 or 16 bits.
        painter: A network that makes nothing up.
        progress: Told the finished share.
    """
    plan = painter.plan
    before = reduced(photo, plan.cell_px)
    nowhere = np.zeros(before.shape[:2], np.uint8)
    after = painter.paint(before, nowhere, photo.encoding.primaries, lambda share: progress(share / 2))
    change = _full_size(before, after, plan.cell_px)
    codes = np.empty_like(photo.codes)
    for start in range(0, photo.height, plan.strip_rows):
        rows = slice(start, min(start + plan.strip_rows, photo.height))
        values = change(torch.from_numpy(srgb_like_rows(photo, rows)), start).clamp(0, 1)
        codes[rows] = own_codes(values.numpy(), photo)
        progress(0.5 + rows.stop / photo.height / 2)
    return replace(photo, codes=codes)


def reduced(photo: Photo, cell_px: int) -> FloatImage:
    """Average squares of a photo's pixels, as sRGB-like values; its last pixels stand in for those beyond its edge."""
    rows, columns = (-(-side // cell_px) for side in (photo.height, photo.width))
    cells = np.empty((rows, columns, 3), np.float32)
    for row in range(rows):
        values = srgb_like_rows(photo, slice(row * cell_px, (row + 1) * cell_px))
        below, right = cell_px - values.shape[0], columns * cell_px - photo.width
        whole = cv2.copyMakeBorder(values, 0, below, 0, right, cv2.BORDER_REPLICATE)
        cells[row] = cv2.resize(whole, (columns, 1), interpolation=cv2.INTER_AREA)[0]
    return cells


def _full_size(before: FloatImage, after: FloatImage, cell_px: int) -> ColourRows:
    """Give the change by rows: that of the network itself where it saw every pixel, else one fitted to it."""
    if cell_px == 1:
        exact = torch.from_numpy(after)
        return lambda values, start: exact[start : start + values.shape[0]]
    planes = (torch.from_numpy(each).permute(2, 0, 1)[None] for each in (before, after))
    return colour_rows(fit_colour_change(*planes), cell_px)
