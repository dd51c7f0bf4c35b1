"""The curve of a camera, recovered from a bracket of known exposures (Debevec and Malik 1997, through OpenCV)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from headroom.image import Encoding, TransferName
from headroom.restore.quantiles import COUNT, Quantiles, stops_between

_SAMPLES = 64
_SMOOTHNESS = 30.0
_TOLERATED_STOPS = 0.04
"""Disagreement of frames that is no reason to doubt a curve."""
_FITTING_STOPS = 0.06
"""The same of a curve with a name that fits; what moves blurs it."""
_WORTH_WHILE = 0.5
"""Another curve has to leave less than this share of the disagreement; rounded exposure times blur the rest."""
_WITHOUT_NAME = 0.7
"""The same of a recovered curve, against the best one that has a name."""
_LEAST_RISE = 1e-9
"""A curve that doesn't rise, as frames of unlike scenes make one, fits nothing."""
_NAMED: tuple[TransferName, ...] = ("srgb", "gamma22", "bt709", "gamma18", "linear")


def better_encoding(quantiles: Sequence[Quantiles], exposures: Sequence[float], stated: Encoding) -> Encoding | None:
    """Find the curve that fits the exposures of a bracket, where the stated one doesn't; else None.

    A curve with a name that fits is preferred to a recovered one.

    Args:
        quantiles: Of every frame, in ascending exposure.
        exposures: Of every frame, strictly positive.
        stated: What the files say, or convention.
    """
    before = disagreement_stops(quantiles, exposures, stated)
    if before <= _TOLERATED_STOPS:
        return None
    best, left = stated, before
    for name in _NAMED:
        named = Encoding(stated.primaries, name, known=False)
        if (its := disagreement_stops(quantiles, exposures, named)) < left:
            best, left = named, its
    if left > _FITTING_STOPS:
        recovered = recover(quantiles, exposures, stated)
        if (its := disagreement_stops(quantiles, exposures, recovered)) < _WITHOUT_NAME * left:
            best, left = recovered, its
    return best if left < _WORTH_WHILE * before else None


def disagreement_stops(quantiles: Sequence[Quantiles], exposures: Sequence[float], encoding: Encoding) -> float:
    """Return the mean error of the exposure steps that the frames show under a curve; 0 where they share no light."""
    errors = [
        np.abs(stops_between(*frames, (encoding, encoding)) - np.log2(times[1] / times[0])).ravel()
        for frames, times in zip(pairwise(quantiles), pairwise(exposures), strict=True)
    ]
    together = np.concatenate(errors)
    return float(together.mean()) if together.size else 0.0


def recover(quantiles: Sequence[Quantiles], exposures: Sequence[float], stated: Encoding) -> Encoding:
    """Solve for the curve; one for all channels, since separate ones would change colours with brightness."""
    import cv2

    side = int(_SAMPLES**0.5)
    samples = [codes[COUNT // _SAMPLES // 2 :: COUNT // _SAMPLES] for codes in quantiles]
    pictures = [np.rint(codes * 255).astype(np.uint8).reshape(side, side, 3) for codes in samples]
    solver = cv2.createCalibrateDebevec(samples=_SAMPLES, lambda_=_SMOOTHNESS)
    response = solver.process(pictures, np.array(exposures, np.float32))[:, 0]  # 256 x 3 light of each code
    curve = np.exp(np.log(np.maximum(response, 1e-9)).mean(axis=1))
    rising = np.maximum.accumulate(curve) - curve[0]
    return Encoding(stated.primaries, None, (rising / max(rising[-1], _LEAST_RISE)).astype(np.float32), known=False)
