"""From per-pixel weights and a bounded change to the picture, in mu-law light.

The picture is made of the frames' own pixels, so its details come from the camera. The change is bounded by how much
the frames disagree there, a clipped one counting as anything up to full scale: frames that say the same give that back.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from headroom.methods.lf_diff.frames import Frames
from headroom.nn.mu_law import mu_law

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
    clipped = _clipped(frames)
    dark = 1 - (frames.encoded[:, 1] / _DARK_CODE).clamp(max=1)
    bright, black = _LONG_LOGITS
    preferred = torch.stack((torch.full_like(dark, _SHORT_LOGIT), 0 * dark, bright + (black - bright) * dark), dim=1)
    own = clipped * clipped.new_tensor([0, _CLIPPED_LOGIT, _CLIPPED_LOGIT]).view(3, 1, 1, 1)
    contradicted = -(contradiction(frames) / _TOLERANCE).square()
    return preferred + own + contradicted.clamp(min=_LEAST_CONTRADICTION_LOGIT)


def contradiction(frames: Frames) -> Tensor:
    """Say how much each frame contradicts the reference, N x 3 frames x 3 x H x W in mu-law light.

    A clipped reference is contradicted only by less light, and a clipped frame contradicts only by more. The largest of
    the three channels counts, on the mean over 3 x 3 pixels.
    """
    tone, clipped = mu_law(frames.linear), _clipped(frames) > 0.5
    more = tone - tone[:, 1:2]
    both_measured = torch.where(clipped, more.clamp(min=0), more.abs())
    against = torch.where(clipped[:, 1:2], (-more).clamp(min=0), both_measured).flatten(1, 2)
    smooth = F.avg_pool2d(against, 3, stride=1, padding=1, count_include_pad=False).reshape(tone.shape)
    return smooth.amax(2, keepdim=True).expand_as(tone)


def disagreement(frames: Frames) -> Tensor:
    """Give the range of what the frames allow at each pixel and its neighbours, N x 3 x H x W in mu-law light."""
    tone = mu_law(frames.linear)
    beyond = 1 - mu_law(1 / frames.exposure)[:, :, None, None, None]  # from each frame's full scale to the short one's
    most = torch.where(frames.encoded > _CLIPPING[1], tone + beyond, tone)
    return F.max_pool2d(most.amax(1) - tone.amin(1), 3, stride=1, padding=1)


def _clipped(frames: Frames) -> Tensor:
    low, high = _CLIPPING
    return ((frames.encoded - low) / (high - low)).clamp(0, 1)
