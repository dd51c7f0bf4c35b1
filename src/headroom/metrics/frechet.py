"""Fréchet distance of a set's results to its truths, under three tone mappers: FID-R, FID-D and FID-L of LEDiff.

Heusel et al. 2017, "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", eq. 6. LEDiff
does not say how it maps tones. Here R is Reinhard's x / (1 + x), D Drago's curve as OpenCV has it, L linear light cut
off at white, each in a display curve. Features are those of Inception v3, of whole pictures brought to 299 x 299. With
fewer images than features the distance is too large, for every method alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from headroom.colour.tone_mapping import reinhard
from headroom.colour.transfer import encode
from headroom.image import FloatImage
from headroom.metrics.contract import Features, Metric, Pair

WEIGHTS = "inception_fid.safetensors"
"""`pt_inception-2015-12-05-6726825d.pth` of pytorch-fid as safetensors."""

_DRAGO_BIAS = 0.85
_DISPLAY_GAMMA = 2.2


def frechet_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Give the distance of two normal distributions fitted to features.

    Args:
        one: N x features.
        other: M x features; N, M >= 2.

    Returns:
        |mean - mean|^2 + tr(C + C' - 2 (C C')^(1/2)); nan of fewer than two rows.
    """
    if min(len(one), len(other)) < 2:
        return float("nan")
    centred = [(rows - rows.mean(axis=0)) / np.sqrt(len(rows) - 1) for rows in (one, other)]
    # tr (A'A B'B)^(1/2) is the sum of the singular values of A B', which is as small as there are images.
    overlap = np.linalg.svd(centred[0] @ centred[1].T, compute_uv=False).sum()
    means = np.square(one.mean(axis=0) - other.mean(axis=0)).sum()
    return float(max(means + sum(np.square(rows).sum() for rows in centred) - 2 * overlap, 0.0))


def reinhard_codes(light: FloatImage) -> FloatImage:
    """Map H x W x 3 light, white = 1, by x / (1 + x)."""
    return encode(reinhard(light), "srgb")


def drago_codes(light: FloatImage) -> FloatImage:
    """Map H x W x 3 light by Drago's logarithmic curve, which follows the picture's own brightest value."""
    mapped = cv2.createTonemapDrago(_DISPLAY_GAMMA, 1.0, _DRAGO_BIAS).process(np.ascontiguousarray(light, np.float32))
    return np.asarray(np.clip(np.nan_to_num(mapped), 0, 1), np.float32)  # OpenCV gives NaN for a picture of one level


def _linear(light: FloatImage) -> FloatImage:
    return encode(np.minimum(light, 1), "srgb")


def _open(models: Path, tone_map: Callable[[FloatImage], FloatImage]) -> Features:
    import torch

    from headroom.metrics.networks.batch import as_batch
    from headroom.metrics.networks.inception import load_inception

    network = load_inception(models / WEIGHTS)

    def features(pair: Pair) -> NDArray[np.float64]:
        found = []
        for light in (pair.prediction, pair.known_truth):
            with torch.inference_mode():
                found.append(network(as_batch(tone_map(light)))[0].double().numpy())
        return np.stack(found)

    return features


def _combine(pairs: Sequence[NDArray[np.float64]]) -> float:
    """Give the distance from each image's features, 2 x features: those of the prediction and of the truth."""
    both = np.stack(pairs)
    return frechet_distance(both[:, 0], both[:, 1])


_FID_R = Metric(
    id="fid_r",
    name="FID-R (Reinhard, Inception v3)",
    direction="lower",
    domain="light",
    unit="",
    limits=(0, np.inf),
    source="Heusel et al. 2017; tone mappers: see headroom.metrics.frechet",
    open=lambda models: _open(models, reinhard_codes),
    symmetric=True,
    models=(WEIGHTS,),
    combine=_combine,
)
METRICS = (
    _FID_R,
    replace(_FID_R, id="fid_d", name="FID-D (Drago, Inception v3)", open=lambda models: _open(models, drago_codes)),
    replace(_FID_R, id="fid_l", name="FID-L (linear, Inception v3)", open=lambda models: _open(models, _linear)),
)
