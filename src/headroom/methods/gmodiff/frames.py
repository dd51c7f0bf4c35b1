"""The three frames of a bracket in the places where the networks expect them."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from headroom.methods.contract import MergeInput
from headroom.nn import three_frames


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
    """Put the frames of a bracket in their places."""
    encoded, linear, exposure = (three_frames.short_reference_long(x, inputs.reference) for x in inputs[:3])
    return Frames(encoded, linear, exposure[:, :, None, None, None])
