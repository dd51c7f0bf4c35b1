"""The released checkpoint of the regressor, whose names ours has."""

from __future__ import annotations

import functools

import torch

from headroom.methods.gmodiff.regressors import build_regressor
from headroom.methods.gmodiff.settings import DaRegSettings
from headroom.weights.layout import Layout, Part, unchanged


@functools.cache
def layouts() -> tuple[Layout, ...]:
    """Return the layout of `dareg_mask.pth`."""
    with torch.device("meta"):
        names = build_regressor(DaRegSettings()).state_dict().keys()
    regressor = Part("regressor", (unchanged(names),))
    return (Layout("gmodiff_dareg", "GMODiff's regressor with its mask", "unknown: see gbymat/GMODiff", (regressor,)),)
