"""Frames of a video: what is recovered in one follows from what was recovered in the one before.

A network looks at every frame anew, and its gain flickers. So the gain of each clipped cell is averaged with the one
that the previous frame had where the flow says it was. Where the surroundings do not fit, after a cut or behind
something that moved, nothing is carried over. Measured pixels have no part in it, and stay.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headroom.errors import UsageError
from headroom.image import FloatImage
from headroom.restore.compose import GainRows, cells_to_rows
from headroom.restore.flow import along, dense_flow
from headroom.restore.guide import Guide
from headroom.restore.predict import Gains, Predict
from headroom.restore.warp import pixel_places

_SIDE_PX = 512
"""Of the grid on which gains are averaged."""
_LEAST_SIDE_PX = 16
"""Smaller ones have no flow."""
_ALIKE, _DIFFERENT = 6.0, 18.0
"""Mean difference of two frames around a cell, in codes, from which trust falls, and is gone."""
_AROUND_SHARE = 16
"""The surroundings of a cell are the grid's side over this."""
_LEAST_SHARE = 1e-3
"""Of a cell that has to be clipped for its gain to mean anything."""
_STRIP_CELLS = 16


class _Frame(NamedTuple):
    """What is remembered of a frame, on its grid of cells.

    Attributes:
        guide: h x w grey codes.
        gain: h x w x 3 log2 gain of clipped cells, 0 elsewhere.
        share: h x w x 3 share of each cell that is clipped.
    """

    guide: Guide
    gain: FloatImage
    share: FloatImage


class Steady:
    """Holds the frames of one video together; `expand` is given the same object for each, in their order.

    Args:
        smoothing: Share of the previous frame in the gain, 0 to 0.98; the larger, the steadier and the slower to
            follow light that changes.

    Raises:
        UsageError: It is out of range.
    """

    def __init__(self, smoothing: float = 0.8) -> None:
        if not 0 <= smoothing <= 0.98:
            raise UsageError(f"smoothing {smoothing}: give a number from 0 to 0.98.")
        self.smoothing = smoothing
        self._before: _Frame | None = None

    def follow(self, predict: Predict) -> Predict:
        """Make a prediction that goes on from the frame before."""

        def predict_on(codes: NDArray[np.uint8], clipped: NDArray[np.bool_]) -> Gains:
            gains = predict(codes, clipped)
            cell = -(-max(clipped.shape[:2]) // _SIDE_PX)
            new = _Frame(_guide(codes, cell), *_clipped_cells(gains.lights, clipped, cell))
            change = self._change(new)
            self._before = new._replace(gain=new.gain + change)
            correction = cells_to_rows(_tensor(change), _tensor(new.share), cell, clipped.shape[1])
            return gains._replace(lights=_sum_of(gains.lights, correction))

        return predict_on

    def _change(self, new: _Frame) -> FloatImage:
        """Give what the frame before changes in the gain of this one: h x w x 3."""
        before = self._before
        if before is None or before.guide.shape != new.guide.shape or min(new.guide.shape) < _LEAST_SIDE_PX:
            return np.zeros_like(new.gain)
        height, width = new.guide.shape
        motion = dense_flow(before.guide, new.guide)
        x, y = along(motion, pixel_places(slice(0, height), slice(0, width)))
        # Interpolation must not take the cells that are not clipped for a gain of 0.
        parts = before.guide, before.gain * before.share, before.share
        guide, weighted, share = (cv2.remap(part, x, y, cv2.INTER_LINEAR) for part in parts)
        known = share > _LEAST_SHARE
        then = np.divide(weighted, share, out=np.zeros_like(share), where=known)
        trust = self.smoothing * _alike(guide, new.guide)[..., None] * (known & (new.share > 0))
        return np.asarray(trust * (then - new.gain), np.float32)


def _guide(codes: NDArray[np.uint8], cell: int) -> Guide:
    rows, columns = (-(-side // cell) for side in codes.shape[:2])
    guide: Guide = cv2.resize(cv2.cvtColor(codes, cv2.COLOR_RGB2GRAY), (columns, rows), interpolation=cv2.INTER_AREA)
    return guide


def _clipped_cells(rows: GainRows, clipped: NDArray[np.bool_], cell: int) -> tuple[FloatImage, FloatImage]:
    """Average the gain of clipped codes over cells; also give their share of each. Both are h x w x 3."""
    gains, shares = [], []
    height, width = clipped.shape[:2]
    for start in range(0, height, _STRIP_CELLS * cell):
        strip = clipped[start : start + _STRIP_CELLS * cell]
        count = _cell_sums(strip.astype(np.float32), cell)
        total = np.zeros_like(count)
        if strip.any():
            gain = np.maximum(rows(start, start + len(strip)).numpy(), 0)
            total = _cell_sums(gain * strip, cell)
        gains.append(np.divide(total, count, out=np.zeros_like(total), where=count > 0))
        shares.append(count / _cell_sums(np.ones((len(strip), width, 1), np.float32), cell))
    return np.concatenate(gains), np.concatenate(shares)


def _cell_sums(values: FloatImage, cell: int) -> FloatImage:
    by_rows = np.add.reduceat(values, np.arange(0, values.shape[0], cell), axis=0)
    return np.asarray(np.add.reduceat(by_rows, np.arange(0, values.shape[1], cell), axis=1))


def _alike(warped: Guide, guide: Guide) -> FloatImage:
    """Tell how far the surroundings of each cell are those of the frame before: h x w, 0 to 1."""
    side = max(3, max(guide.shape) // _AROUND_SHARE)
    difference = cv2.blur(cv2.absdiff(warped, guide).astype(np.float32), (side, side))
    return np.asarray(np.clip((_DIFFERENT - difference) / (_DIFFERENT - _ALIKE), 0, 1))


def _tensor(cells: FloatImage) -> Tensor:
    return torch.from_numpy(cells).permute(2, 0, 1)[None]


def _sum_of(one: GainRows, other: GainRows) -> GainRows:
    return lambda start, stop: one(start, stop).clamp(min=0) + other(start, stop)
