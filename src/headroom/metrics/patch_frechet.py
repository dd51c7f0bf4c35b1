"""Fréchet distance of patches of results to those of truths, around what the photo shows nothing of.

Whether made-up content looks like photographs, rather than like this photograph, is asked of whole sets: the same
distance as FID's (`headroom.metrics.frechet`), but of patches that are a quarter unknown or more, and in features that
ship. They are what the encoder of hybrid_ae's compact network, which learned from photographs what lies beyond their
clip level, makes of a patch at an eighth of its size, averaged over the patch. So its numbers are nobody's FID, and
hold for one version of these weights alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage
from headroom.metrics.contract import Features, Metric, Pair
from headroom.metrics.frechet import frechet_distance

if TYPE_CHECKING:
    from torch import Tensor

    from headroom.methods.hybrid_ae.compact import CompactNetwork

Patch = tuple[slice, slice]
"""Rows and columns."""

PATCH_PX, STEP_PX = 64, 32
"""Side of a patch, and how far its neighbours are."""

_LEAST_UNKNOWN = 0.25
_LEVELS = 3
"""Levels of the encoder that a patch passes, down to an eighth of its size."""
_AT_A_TIME = 64


def unknown_patches(unknown: NDArray[np.bool_]) -> list[Patch]:
    """Give the rows and columns of each patch of an H x W mask that holds enough of it."""
    starts = [range(0, side - PATCH_PX + 1, STEP_PX) for side in unknown.shape]
    patches = [(slice(top, top + PATCH_PX), slice(left, left + PATCH_PX)) for top in starts[0] for left in starts[1]]
    return [patch for patch in patches if unknown[patch].mean() >= _LEAST_UNKNOWN]


def _open(_models: Path) -> Features:
    import torch

    from headroom.restore.network import load_network

    network = cast("CompactNetwork", load_network("hybrid_ae", "compact", None, torch.device("cpu")).network)

    def features(pair: Pair) -> NDArray[np.float64]:
        patches = unknown_patches(pair.known_mask)
        pictures = (pair.prediction, pair.known_truth)
        return np.stack([_described(network, picture, patches) for picture in pictures])

    return features


def _described(network: CompactNetwork, picture: FloatImage, patches: Sequence[Patch]) -> NDArray[np.float64]:
    """Give patches x channels."""
    import torch

    cut = np.array([picture[patch] for patch in patches], np.float32).reshape(-1, PATCH_PX, PATCH_PX, 3)
    with torch.inference_mode():
        codes = torch.from_numpy(cut).permute(0, 3, 1, 2)
        described = torch.cat([_encode(network, part) for part in torch.split(codes, _AT_A_TIME)])
    return described.double().numpy()


def _encode(network: CompactNetwork, codes: Tensor) -> Tensor:
    """Take N x 3 x H x W codes, of which none is said to be clipped, through the encoder: N x channels."""
    import torch

    x = network.stem(torch.cat((codes - 0.5, torch.zeros_like(codes)), dim=1))
    for level in range(_LEVELS - 1):
        x = network.down[level](network.encoder[level](x))
    deepest: Tensor = network.encoder[_LEVELS - 1](x)
    return deepest.mean((2, 3))


def _combine(gathered: Sequence[NDArray[np.float64]]) -> float:
    """Give the distance from each image's patches, 2 x patches x channels: those of prediction and truth."""
    predicted, true = np.concatenate(gathered, axis=1)
    return frechet_distance(predicted, true)


METRICS = (
    Metric(
        id="patch_frechet_unknown",
        name="Fréchet distance of patches, unknown (hybrid_ae encoder)",
        direction="lower",
        domain="srgb",
        unit="",
        limits=(0, np.inf),
        source="headroom.metrics.patch_frechet; distance: Heusel et al. 2017",
        open=_open,
        symmetric=True,
        takes="mask",
        combine=_combine,
    ),
)
