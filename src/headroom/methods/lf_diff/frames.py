"""The three frames of a bracket in the places where the networks expect them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from headroom.methods.contract import MergeInput
from headroom.nn.mu_law import mu_law


class Frames(NamedTuple):
    """Short, reference and long frame.

    Attributes:
        encoded: N x 3 x 3 x H x W code values in [0, 1]; see `MergeInput`.
        linear: N x 3 x 3 x H x W the same as scene light, 1.0 = full scale of the short frame.
        tone: N x 3 x 3 x H x W the same in mu-law light.
        exposure: N x 3 exposure of each frame over that of the short one.
    """

    encoded: Tensor
    linear: Tensor
    tone: Tensor
    exposure: Tensor


def short_reference_long(inputs: MergeInput) -> Frames:
    """Pick the frames of least exposure, the reference and that of most exposure.

    A reference at an end of the bracket stands in two places.
    """
    first = torch.zeros_like(inputs.reference)
    last = torch.full_like(inputs.reference, inputs.encoded.shape[1] - 1)
    chosen = torch.stack((first, inputs.reference, last), dim=1)  # N x 3
    number = torch.arange(len(chosen), device=chosen.device)[:, None]
    linear = inputs.linear[number, chosen]
    return Frames(inputs.encoded[number, chosen], linear, mu_law(linear), inputs.exposure[number, chosen])
