"""Networks that losses compare pictures by, from the files that a recipe names; read once, not at every step."""

from __future__ import annotations

import functools
from pathlib import Path

from headroom.errors import UsageError
from headroom.nn.dists import DISTS, load_dists
from headroom.nn.perceptual import LPIPS, load_lpips


@functools.lru_cache(maxsize=1)
def lpips_of_recipe(backbone: Path | None, heads: Path | None) -> LPIPS:
    """Read the LPIPS of `loss.lpips_backbone` and `loss.lpips_heads`; see `load_lpips`.

    Raises:
        UsageError: One of them is not given.
        WeightsError: A file is missing, damaged or for another network.
    """
    if backbone is None or heads is None:
        raise UsageError(
            "loss.lpips_backbone or loss.lpips_heads is missing: give .safetensors copies of torchvision's vgg16 and "
            "of weights/v0.1/vgg.pth of the lpips package, or set loss.lpips = 0 to train without that term."
        )
    return load_lpips(backbone, heads)


@functools.lru_cache(maxsize=1)
def dists_of_recipe(vgg16: Path | None, weights: Path | None) -> DISTS:
    """Read the DISTS of `loss.vgg16` and `loss.dists`; see `load_dists`.

    Raises:
        UsageError: One of them is not given.
        WeightsError: A file is missing, damaged or for another network.
    """
    if vgg16 is None or weights is None:
        raise UsageError(
            "loss.vgg16 or loss.dists is missing: give .safetensors copies of torchvision's vgg16 (ImageNet) and of "
            "the weights.pt of DISTS, or set loss.texture = 0 to train without that term."
        )
    return load_dists(vgg16, weights)
