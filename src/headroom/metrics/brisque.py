"""BRISQUE: a regression from the statistics of natural pictures to what people said of distorted ones.

Mittal, Moorthy, Bovik, "No-reference image quality assessment in the spatial domain", TIP 2012, as the authors' program
computes it. The regression is two files of that program that the user brings.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from headroom.metrics.brisque_features import (
    Picture,
    contrast_normalised,
    fit_asymmetric,
    fit_symmetric,
    gamma_ratio,
    grey_codes,
    neighbour_products,
)
from headroom.metrics.brisque_model import BrisqueModel, read_brisque_model
from headroom.metrics.contract import Measure, Metric
from headroom.metrics.resizing import halve

REGRESSION, RANGES = "allmodel", "allrange"
"""Names that the authors' release gives its files."""


def brisque(codes: NDArray[np.floating], model: BrisqueModel) -> float:
    """Give the BRISQUE score of an SDR picture.

    Args:
        codes: H x W x 3, code values in [0, 1].
        model: The regression.

    Returns:
        From about 0, excellent, to about 100, bad; nan for a picture in which nothing varies.
    """
    return model.predict(brisque_features(codes))


def brisque_features(codes: NDArray[np.floating]) -> Picture:
    """Give the 36 features of H x W x 3 code values in [0, 1]: 18 at full and 18 at half size."""
    grey = grey_codes(codes)
    return np.concatenate([_features(grey), _features(halve(grey))])


def _features(grey: Picture) -> Picture:
    """Give a scale's two features of its values and four of each kind of product (table I)."""
    normalised = contrast_normalised(grey, cv2.BORDER_CONSTANT)
    shape, deviation = fit_symmetric(normalised)
    features = [shape, deviation**2]
    for product in neighbour_products(normalised):
        shape, left, right = fit_asymmetric(product)
        scale = gamma_ratio(1 / shape, 3 / shape) ** 0.5
        mean = (right - left) * scale * gamma_ratio(2 / shape, 1 / shape)  # eq. 16
        features += [shape, mean, left**2, right**2]
    return np.array(features)


def _open(models: Path) -> Measure:
    model = read_brisque_model(models / REGRESSION, models / RANGES)
    return lambda pair: brisque(pair.prediction, model)


METRICS = (
    Metric(
        id="brisque",
        name="BRISQUE",
        direction="lower",
        domain="codes",
        unit="",
        limits=(-np.inf, np.inf),
        source="Mittal et al. 2012; the regression of the LIVE release",
        open=_open,
        compares=False,
        models=(REGRESSION, RANGES),
    ),
)
