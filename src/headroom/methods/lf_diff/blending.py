"""From per-pixel weights and a bounded change to the picture, in mu-law light.

The picture is made of the frames' own pixels, so its details come from the camera. The change is bounded by how much
the frames disagree there, a clipped one counting as anything up to full scale: frames that say the same give that back.
"""

from __future__ import annotations

import torch
from torch import Tensor

from headroom.methods.lf_diff.frames import Frames
from headroom.nn.mu_law import mu_law
from headroom.nn.neighbours import most_of_neighbours

OUTPUTS = 12
"""Numbers that `blend` needs for each pixel: three frames' and a change, three channels each."""

_CLIPPING = (0.92, 0.99)
"""Codes between which a frame loses its say: quantisation and noise reach that far below full scale."""
_CLIPPED_LOGIT = -16.0
_SHORT_LOGIT = -6.0
_LONG_LOGITS = (-2.0, 2.0)
"""Of a reference that is well exposed and of a black one; `_DARK_CODE` lies between."""
_DARK_CODE = 0.25
_TOLERANCE = 0.02
"""Contradiction, in mu-law light, that noise explains as well as motion."""
_LEAST_CONTRADICTION_LOGIT = -20.0


def blend(frames: Frames, logits: Tensor, change: Tensor) -> Tensor:
    """Merge three frames.

    Args:
        frames: Short, reference and long frame.
        logits: N x 3 frames x 3 x H x W weights before the softmax over the frames.
        change: N x 3 x H x W what to add, before its bound.

    Returns:
        N x 3 x H x W mu-law light, about 0 to 1.
    """
    merged = mu_law((logits.softmax(1) * frames.linear).sum(1))
    return merged + disagreement(frames) * torch.tanh(change)


def classical_logits(frames: Frames) -> Tensor:
    """Weigh frames without learning: long in the dark, short where the reference is clipped, none that contradicts.

    Returns:
        N x 3 frames x 3 x H x W logits of a softmax over the frames.
    """
    low, high = _CLIPPING
    clipped = (frames.encoded[:, 1:] - low).clamp(0, high - low) * (_CLIPPED_LOGIT / (high - low))
    dark = 1 - (frames.encoded[:, 1] / _DARK_CODE).clamp(max=1)
    bright, black = _LONG_LOGITS
    contradicted = -(contradiction(frames) / _TOLERANCE).square()
    short, long = contradicted.clamp(min=_LEAST_CONTRADICTION_LOGIT).unbind(1)  # each N x 1 x H x W
    return torch.stack(
        (
            (short + _SHORT_LOGIT).expand_as(dark),
            clipped[:, 0],
            clipped[:, 1] + torch.lerp(torch.full_like(dark, bright), torch.full_like(dark, black), dark) + long,
        ),
        dim=1,
    )


def contradiction(frames: Frames) -> Tensor:
    """Say how much the short and the long frame contradict the reference, N x 2 x 1 x H x W in mu-law light.

    A clipped reference is contradicted only by less light, and a clipped frame contradicts only by more. The largest of
    the three channels counts, on the mean over 3 x 3 pixels.
    """
    clipped = frames.encoded > sum(_CLIPPING) / 2
    against = torch.stack([_against(frames.tone, clipped, frame) for frame in (0, 2)], dim=1)
    return _mean_of_neighbours(against).amax(2, keepdim=True)


def disagreement(frames: Frames) -> Tensor:
    """Give the range of what the frames allow at each pixel and its neighbours, N x 3 x H x W in mu-law light."""
    beyond = 1 - mu_law(1 / frames.exposure)[:, :, None, None, None]  # from each frame's full scale to the short one's
    most = frames.tone + beyond * (frames.encoded > _CLIPPING[1])
    return most_of_neighbours(most.amax(1) - frames.tone.amin(1))


def _against(tone: Tensor, clipped: Tensor, frame: int) -> Tensor:
    more = tone[:, frame] - tone[:, 1]
    both_measured_or_more = torch.where(clipped[:, frame], more.clamp(min=0), more.abs())
    return torch.where(clipped[:, 1], (-more).clamp(min=0), both_measured_or_more)


def _mean_of_neighbours(x: Tensor) -> Tensor:
    """Average windows of 3 x 3 pixels, fewer at the border; several times as fast as torch's pooling on a CPU."""
    for dim in (-1, -2):
        size = x.shape[dim]
        total, count = x.clone(), torch.full((size,), 3.0, device=x.device)
        total.narrow(dim, 1, size - 1).add_(x.narrow(dim, 0, size - 1))
        total.narrow(dim, 0, size - 1).add_(x.narrow(dim, 1, size - 1))
        count[[0, -1]] = 2.0
        x = total / (count if dim == -1 else count[:, None])
    return x
