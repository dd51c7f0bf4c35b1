"""Expanding an equirectangular panorama, whose left and right edges meet: its gain has no seam there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from headroom.nn.wrapping import without_margins
from headroom.restore.compose import GainRows
from headroom.restore.predict import Gains, Predict

_MARGIN_SHARE = 8
"""A margin is the width over this: 45 degrees."""


def margin_px(width: int) -> int:
    """Give how much of the panorama is repeated on either side for a network to see."""
    return max(2, width // _MARGIN_SHARE)


def seamless(predict: Predict) -> Predict:
    """Make a prediction that sees what is behind either edge, and gives both edges the same gain."""

    def predict_around(codes: NDArray[np.uint8], clipped: NDArray[np.bool_]) -> Gains:
        width = codes.shape[1]
        margin = margin_px(width)
        columns = np.arange(-margin, width + margin) % width
        return Gains(*(_cut(rows, margin) for rows in predict(codes[:, columns], clipped[:, columns])))

    return predict_around


def _cut(wide: GainRows, margin: int) -> GainRows:
    def rows(start: int, stop: int) -> Tensor:
        gain = wide(start, stop)
        return without_margins(gain, margin, dim=1) if gain.shape[1] > 1 else gain  # nothing to cut of no gain

    return rows
