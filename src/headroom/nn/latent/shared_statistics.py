"""Group normalisation that is the same for all tiles of a picture.

It divides by the deviation of what it sees. A tile of sky alone would be normalised otherwise than the same sky above a
street, and two tiles would disagree about the colours where they meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.nn.in_place_of import InPlaceOf

Run = Callable[[Tensor], Tensor]
"""A network that looks at a whole picture in its group normalisations only."""


class _Statistics(NamedTuple):
    """What a group normalisation found in its input, N x G each.

    Attributes:
        mean: Of each group.
        scale: Reciprocal of its deviation.
    """

    mean: Tensor
    scale: Tensor


def normalised_as(sample: Tensor, run: Run) -> Run:
    """Make a network that normalises whatever it gets as it normalises `sample`, N x C x h x w."""
    found: list[_Statistics] = []

    def note(x: Tensor, num_groups: int, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        variance, mean = torch.var_mean(x.float().reshape(len(x), num_groups, -1), dim=2, correction=0)
        found.append(_Statistics(mean, (variance + eps).rsqrt()))
        return F.group_norm(x, num_groups, weight, bias, eps)

    with InPlaceOf(F.group_norm, note):
        run(sample)

    def run_alike(x: Tensor) -> Tensor:
        known = iter(found)  # A network calls its layers in the same order every time.
        recall = lambda x, _groups, weight, bias, eps: _normalised(x, next(known), weight, bias)  # noqa: ARG005, E731
        with InPlaceOf(F.group_norm, recall):
            return run(x)

    return run_alike


def _normalised(x: Tensor, known: _Statistics, weight: Tensor, bias: Tensor) -> Tensor:
    """Normalise N x C x ... by what was found in something else."""
    shape = (len(x), -1, *(1 for _ in x.shape[2:]))
    mean, scale = (value.repeat_interleave(x.shape[1] // value.shape[1], dim=1) for value in known)
    factor = scale * weight
    return torch.addcmul((bias - mean * factor).view(shape), x.to(factor), factor.view(shape))
