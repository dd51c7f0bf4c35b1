"""Distances in the features of networks: LPIPS and DISTS of SDR renditions, with weights that the user brings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headroom.metrics.contract import Measure, Metric, Pair

if TYPE_CHECKING:
    from torch import nn

VGG16, LPIPS_HEADS, DISTS_WEIGHTS = "vgg16.safetensors", "lpips_vgg.safetensors", "dists.safetensors"
"""torchvision's `vgg16` (ImageNet), `weights/v0.1/vgg.pth` of lpips and `weights.pt` of DISTS, as safetensors."""


def _open_lpips(models: Path) -> Measure:
    from headroom.nn.perceptual import load_lpips

    network = load_lpips(models / VGG16, models / LPIPS_HEADS)
    return lambda pair: _distance(network, pair, lowest=-1.0)


def _open_dists(models: Path) -> Measure:
    from headroom.nn.dists import load_dists

    network = load_dists(models / VGG16, models / DISTS_WEIGHTS)
    return lambda pair: _distance(network, pair, lowest=0.0)


def _distance(network: nn.Module, pair: Pair, lowest: float) -> float:
    """Ask a network about pictures in [lowest, 1]."""
    import torch

    from headroom.metrics.networks.batch import as_batch

    with torch.inference_mode():
        pictures = (as_batch(picture) * (1 - lowest) + lowest for picture in (pair.prediction, pair.known_truth))
        return float(network(*pictures))


_LPIPS = Metric(
    id="lpips",
    name="LPIPS (VGG16)",
    direction="lower",
    domain="codes",
    unit="",
    limits=(0, np.inf),
    source="Zhang et al. 2018, version 0.1",
    open=_open_lpips,
    symmetric=True,
    models=(VGG16, LPIPS_HEADS),
)
METRICS = (
    _LPIPS,
    replace(
        _LPIPS,
        id="dists",
        name="DISTS",
        limits=(0, 1),
        source="Ding et al. 2020; whole pictures, not resized",
        open=_open_dists,
        models=(VGG16, DISTS_WEIGHTS),
    ),
)
