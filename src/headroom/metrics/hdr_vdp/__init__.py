"""HDR-VDP: how a person sees the difference of two HDR pictures; ports of the quality scores of versions 2.2 and 3.

Written for this project after the papers and the authors' MATLAB programs, whose numbers it gives: 2.2.1 (ISC licence,
Copyright (c) 2011 Rafal Mantiuk) and 3.0.7 (BSD licence, Copyright (c) 2010-2020 Rafal Mantiuk, (c) 2020 Displays and
Graphics Ltd). Where a paper and its program differ, the program is followed: published scores come from it.

- Mantiuk, Kim, Rempel, Heidrich, "HDR-VDP-2: A calibrated visual metric for visibility and quality predictions in all
  luminance conditions", SIGGRAPH 2011. Equation numbers in this folder are this paper's.
- Narwaria, Mantiuk, Perreira Da Silva, Le Callet, "HDR-VDP-2.2: a calibrated method for objective quality prediction of
  high-dynamic range and standard images", JEI 24(1), 2015: the weights of 2.2's quality score.
- Mantiuk, Hammou, Hanji, "HDR-VDP-3: A multi-metric for predicting image differences, quality and contrast distortions
  in high dynamic range and regular content", arXiv:2304.13625, 2023.
"""

import numpy as np

from headroom.metrics.contract import Metric, plain
from headroom.metrics.hdr_vdp.display import pixels_per_degree
from headroom.metrics.hdr_vdp.version2 import hdr_vdp2_quality
from headroom.metrics.hdr_vdp.version3 import hdr_vdp3_quality

__all__ = ["METRICS", "hdr_vdp2_quality", "hdr_vdp3_quality", "pixels_per_degree"]

_DISPLAY = "30-inch display of 1500 x 1000 pixels seen from 0.5 m, as GMODiff"
_RESOLUTION = pixels_per_degree(30, (1500, 1000), 0.5)

METRICS = (
    Metric(
        id="hdr_vdp2",
        name="HDR-VDP-2.2 Q",
        direction="higher",
        domain="nits",
        unit="",
        limits=(-np.inf, 100),
        source=f"Mantiuk et al. 2011, Narwaria et al. 2015; program 2.2.1; {_DISPLAY}",
        open=plain(lambda pair: hdr_vdp2_quality(pair.prediction, pair.known_truth, _RESOLUTION)),
    ),
    Metric(
        id="hdr_vdp3",
        name="HDR-VDP-3 Q",
        direction="higher",
        domain="nits",
        unit="JOD",
        limits=(-np.inf, 10),
        source=f"Mantiuk et al. 2023; program 3.0.7; {_DISPLAY}",
        open=plain(lambda pair: hdr_vdp3_quality(pair.prediction, pair.known_truth, _RESOLUTION)),
    ),
)
