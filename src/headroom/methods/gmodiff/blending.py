"""From weights per pixel and a bounded change to the gain map.

The light is made of the frames' own pixels and their neighbours, so its details come from the camera. The change on top
is bounded by how much the frames' gains disagree there, a clipped one counting as any gain up to full scale.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.methods.gmodiff.frames import Frames
from headroom.methods.gmodiff.gain import encode_gain
from headroom.nn.neighbours import most_of_neighbours

TAPS = 9
"""A pixel and its neighbours."""

_CLIPPING = (0.92, 0.99)
"""Codes between which a frame loses its say: quantisation and noise reach that far below full scale."""
_LEAST_UNCLIPPED = 1e-6
_SHOT, _READ = 2e-4, 1e-3
"""Variance of the shot noise at full scale and deviation of the read noise of a usual camera, in full scales."""
_SYSTEMATIC = 0.05
"""Relative error of a frame besides the reference: it moved, and was brought back by interpolation."""
_RELATIVE_TOLERANCE, _TOLERANCE = 0.17, 4e-5
"""Contradiction that noise does not explain and motion need not; together 0.02 in mu-law light."""
_MOST_SURPRISE = 20.0


def blend(frames: Frames, weights: Tensor, taps: Tensor, change: Tensor) -> Tensor:
    """Give the gain map, N x 3 x H x W.

    Args:
        frames: Short, reference and long frame.
        weights: N x 3 frames x 3 x H x W logits of a softmax over the frames.
        taps: N x 3 frames x 9 x H x W logits of a softmax over a pixel and its neighbours.
        change: N x 3 x H x W what to add to the gain, before its bound.
    """
    light = (weights.softmax(1) * gathered(frames.linear, taps.softmax(2))).sum(1)
    return encode_gain(light, frames.base) + disagreement(frames) * torch.tanh(change)


def gathered(frames: Tensor, taps: Tensor) -> Tensor:
    """Give weighted sums over each pixel and its neighbours.

    Args:
        frames: N x F x 3 x H x W.
        taps: N x F x 9 x H x W weights, row by row from the upper left neighbour.
    """
    height, width = frames.shape[-2:]
    around = F.pad(frames.flatten(1, 2), (1, 1, 1, 1), mode="replicate")
    around = around.reshape(*frames.shape[:3], height + 2, width + 2)
    total = torch.zeros_like(frames)
    for number in range(TAPS):
        row, column = divmod(number, 3)
        total = total + taps[:, :, number, None] * around[..., row : row + height, column : column + width]
    return total


def classical_weights(frames: Frames) -> Tensor:
    """Weigh frames without learning: by the inverse variance of what is unclipped, none that contradicts the reference.

    Returns:
        N x 3 frames x 3 x H x W logits of a softmax over the frames.
    """
    low, high = _CLIPPING
    unclipped = ((high - frames.encoded) / (high - low)).clamp(_LEAST_UNCLIPPED, 1)
    unclipped[:, 0] = 1  # beyond the short frame's full scale there is nothing else
    noise = _noise(frames)
    short, long = (_surprise(frames, noise, frame) for frame in (0, 2))
    surprise = torch.stack((short, torch.zeros_like(short), long), dim=1)
    systematic = (_SYSTEMATIC * frames.linear[:, 1:2]) ** 2 * noise.new_tensor([1, 0, 1]).view(1, 3, 1, 1, 1)
    return (unclipped / (noise + systematic)).log() - surprise


def disagreement(frames: Frames) -> Tensor:
    """Give the range of the gains that frames allow at each pixel and its neighbours, N x 3 x H x W."""
    clipped = frames.encoded > _CLIPPING[1]
    most = torch.where(clipped, 1.0, frames.linear).amax(1)
    least = frames.linear.amin(1)
    return most_of_neighbours(encode_gain(most, frames.base) - encode_gain(least, frames.base))


def hidden(frames: Frames) -> Tensor:
    """Give the chance that the short frame shows something else than the reference does, N x 1 x H x W."""
    return 1 - torch.exp(-_surprise(frames, _noise(frames), 0))


def _noise(frames: Frames) -> Tensor:
    """Give the variance of each frame's light."""
    own = frames.linear * frames.exposure
    return (_SHOT * own + _READ**2) / frames.exposure**2


def _surprise(frames: Frames, noise: Tensor, frame: int) -> Tensor:
    """Say how much a frame contradicts the reference, N x 1 x H x W, 0 to `_MOST_SURPRISE`.

    A clipped frame contradicts only by more light than the reference has, and a clipped reference is contradicted only
    by less. The largest of the three channels counts.
    """
    clipped = frames.encoded > sum(_CLIPPING) / 2
    more = frames.linear[:, frame] - frames.linear[:, 1]
    more = torch.where(clipped[:, frame], more.clamp(min=0), more)
    more = _mean_of_neighbours(torch.where(clipped[:, 1], more.clamp(max=0), more))
    explained = (_RELATIVE_TOLERANCE * frames.linear[:, 1] + _TOLERANCE) ** 2 + noise[:, frame] + noise[:, 1]
    return (more**2 / explained).amax(1, keepdim=True).clamp(max=_MOST_SURPRISE)


def _mean_of_neighbours(x: Tensor) -> Tensor:
    """Average windows of 3 x 3 pixels, the border's repeated."""
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = x[..., :-2] + x[..., 1:-1] + x[..., 2:]
    return (x[..., :-2, :] + x[..., 1:-1, :] + x[..., 2:, :]) / 9
