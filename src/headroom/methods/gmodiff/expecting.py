"""The light that the reference alone lets one expect where it is clipped, whatever the other frames show."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.colour.code_ends import BLOWN_CODE
from headroom.methods.gmodiff.blending import hidden
from headroom.methods.gmodiff.frames import Frames
from headroom.nn.gain import upsample_gain
from headroom.nn.gain_network import GainNetwork


class Expected(NamedTuple):
    """What to expect of brackets.

    Attributes:
        light: N x 3 x H x W light in the units of `Frames.linear`: the reference's own, and more where it is clipped.
        share: N x 3 x H x W chance that nothing else is known, because the short frame contradicts a clipped reference.
    """

    light: Tensor
    share: Tensor


def expect(network: GainNetwork, frames: Frames, reduction: int) -> Expected:
    """Say what the reference lets one expect of brackets.

    Args:
        network: Knows the gain of clipped photos.
        frames: Brackets; both sides are multiples of `reduction` times what the network asks for.
        reduction: How many times smaller the network sees the reference.
    """
    codes, light = frames.base, frames.linear[:, 1]
    clipped = (codes > BLOWN_CODE).to(codes.dtype)
    small, share = F.avg_pool2d(codes, reduction), F.avg_pool2d(clipped, reduction)
    gain = upsample_gain(network(small, share).float(), share, (codes.shape[2], codes.shape[3]))
    return Expected((light * torch.exp2(gain * clipped)).clamp(max=1), clipped * hidden(frames))
