"""Frames of a video: what is recovered in one follows from what was recovered in the one before.

A network looks at every frame anew, and its gain flickers. So the gain of each clipped or crushed cell is averaged with
the one that the previous frame had where the flow says it was. Where the surroundings do not fit, after a cut or behind
something that moved, nothing is carried over. Measured pixels have no part in it, and stay.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headroom.colour.code_ends import CRUSHED_BELOW_CODE
from headroom.errors import UsageError
from headroom.image import FloatImage
from headroom.restore.compose import GainRows, cells_to_rows
from headroom.restore.frame_cells import frame_cell_px, in_cells, motion_between, places_before
from headroom.restore.guide import Guide
from headroom.restore.predict import Gains, Predict
from headroom.restore.warp import Places

_ALIKE, _DIFFERENT = 6.0, 18.0
"""Mean difference of two frames around a cell, in codes, from which trust falls, and is gone."""
_AROUND_SHARE = 16
"""The surroundings of a cell are the grid's side over this."""
_LEAST_SHARE = 1e-3
"""Of a cell that has to be lost for its gain to mean anything."""
_STRIP_CELLS = 16


class _Lost(NamedTuple):
    """What is recovered of codes that are lost, on a frame's grid of cells.

    Attributes:
        gain: h x w x 3 log2 gain of cells with lost codes, 0 elsewhere.
        share: h x w x 3 share of each cell that is lost.
    """

    gain: FloatImage
    share: FloatImage


class _Frame(NamedTuple):
    """What is remembered of a frame.

    Attributes:
        guide: h x w grey codes.
        lost: Of clipped codes, and of crushed ones.
    """

    guide: Guide
    lost: tuple[_Lost, ...]


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

    def follow(self, predict: Predict, *, shadows: bool) -> Predict:
        """Make a prediction that goes on from the frame before; with `shadows`, that of crushed codes as well."""

        def predict_on(codes: NDArray[np.uint8], clipped: NDArray[np.bool_]) -> Gains:
            found = predict(codes, clipped)
            gains = found._replace(lights=lambda start, stop: found.lights(start, stop).clamp(min=0))
            cell = frame_cell_px(*clipped.shape[:2])
            crushed = (codes < CRUSHED_BELOW_CODE) & np.bool_(shadows)
            lost = _in_cells(gains.lights, clipped, cell), _in_cells(gains.shadows, crushed, cell)
            new = _Frame(in_cells(cv2.cvtColor(codes, cv2.COLOR_RGB2GRAY), cell), lost)
            changes = self._changes(new)
            held = (each._replace(gain=each.gain + change) for each, change in zip(lost, changes, strict=True))
            self._before = new._replace(lost=tuple(held))
            return Gains(
                *(
                    _sum_of(rows, cells_to_rows(_tensor(change), _tensor(each.share), cell, clipped.shape[1]))
                    for rows, each, change in zip(gains, lost, changes, strict=True)
                )
            )

        return predict_on

    def _changes(self, new: _Frame) -> list[FloatImage]:
        """Give what the frame before changes in the gains of this one, h x w x 3 each."""
        before = self._before
        if before is None or before.guide.shape != new.guide.shape:
            return [np.zeros_like(each.gain) for each in new.lost]
        x, y = places_before(motion_between(before.guide, new.guide))
        trust = self.smoothing * _alike(cv2.remap(before.guide, x, y, cv2.INTER_LINEAR), new.guide)[..., None]
        return [_change(then, now, (x, y), trust) for then, now in zip(before.lost, new.lost, strict=True)]


def _change(before: _Lost, new: _Lost, places: Places, trust: FloatImage) -> FloatImage:
    """Give what one gain becomes by another, minus it, as far as that is trusted: h x w x 3."""
    # Interpolation must not take the cells of which nothing is lost for a gain of 0.
    weighted, share = (
        cv2.remap(part, *places, cv2.INTER_LINEAR) for part in (before.gain * before.share, before.share)
    )
    known = share > _LEAST_SHARE
    then = np.divide(weighted, share, out=np.zeros_like(share), where=known)
    return np.asarray(trust * (known & (new.share > 0)) * (then - new.gain), np.float32)


def _in_cells(rows: GainRows, lost: NDArray[np.bool_], cell: int) -> _Lost:
    """Average the gain of lost codes over cells."""
    gains, shares = [], []
    height, width = lost.shape[:2]
    for start in range(0, height, _STRIP_CELLS * cell):
        strip = lost[start : start + _STRIP_CELLS * cell]
        count = _cell_sums(strip.astype(np.float32), cell)
        total = np.zeros_like(count)
        if strip.any():
            total = _cell_sums(rows(start, start + len(strip)).numpy() * strip, cell)
        gains.append(np.divide(total, count, out=np.zeros_like(total), where=count > 0))
        shares.append(count / _cell_sums(np.ones((len(strip), width, 1), np.float32), cell))
    return _Lost(np.concatenate(gains), np.concatenate(shares))


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
    return lambda start, stop: one(start, stop) + other(start, stop)
