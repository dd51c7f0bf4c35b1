"""ColorVideoVDP: visible difference in colour, in just-objectionable differences; through its authors' package.

Mantiuk et al. 2024, "ColorVideoVDP: A visual difference predictor for image, video and display distortions".
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from headroom.metrics.contract import Measure, Metric, Pair

_DISPLAY = "standard_hdr_linear"
"""A 30-inch 4K monitor of 1500 cd/m2 in a dim room, seen from two screen heights; takes cd/m2 in BT.709."""


def _open(_models: Path) -> Measure:
    from headroom.nn.torchvision_beside_cpu import import_torchvision

    import_torchvision()
    import pycvvdp

    predictor = pycvvdp.cvvdp(display_name=_DISPLAY, heatmap=None, quiet=True)

    def jod(pair: Pair) -> float:
        pictures = (np.ascontiguousarray(picture, np.float32) for picture in (pair.prediction, pair.known_truth))
        with _silent_logging():
            quality, _statistics = predictor.predict(*pictures, dim_order="HWC")
        return float(quality)

    return jod


@contextmanager
def _silent_logging() -> Iterator[None]:
    """Keep the package from logging that a scene with a sun in it looks dark."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


METRICS = (
    Metric(
        id="cvvdp",
        name="ColorVideoVDP",
        direction="higher",
        domain="nits",
        unit="JOD",
        limits=(-np.inf, 10),
        source="Mantiuk et al. 2024; cvvdp package, display " + _DISPLAY,
        open=_open,
        packages=("pycvvdp", "torchvision"),
    ),
)
