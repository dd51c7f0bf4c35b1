"""The three frames of a bracket in the places where the networks expect them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from headroom.methods.contract import MergeInput


class Frames(NamedTuple):
    """Short, reference and long frame.

    Attributes:
        encoded: N x 3 x 3 x H x W code values in [0, 1]; see `MergeInput`.
        linear: N x 3 x 3 x H x W the same as scene light, 1.0 = full scale of the shortest frame.
        exposure: N x 3 x 1 x 1 x 1 exposure of each frame over that of the shortest.
    """

    encoded: Tensor
    linear: Tensor
    exposure: Tensor

    @property
    def base(self) -> Tensor:
        """N x 3 x H x W code values of the reference, which the gain is over."""
        return self.encoded[:, 1]


def short_reference_long(inputs: MergeInput) -> Frames:
    """Pick the frames of least exposure, the reference and that of most exposure.

    A reference at an end of the bracket stands in two places.
    """
    first = torch.zeros_like(inputs.reference)
    last = torch.full_like(inputs.reference, inputs.encoded.shape[1] - 1)
    places = torch.stack((first, inputs.reference, last), dim=1)  # N x 3
    number = torch.arange(len(places), device=places.device)[:, None]
    exposure = inputs.exposure[number, places]
    return Frames(inputs.encoded[number, places], inputs.linear[number, places], exposure[:, :, None, None, None])
