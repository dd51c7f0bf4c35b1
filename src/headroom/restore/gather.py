"""The frames of a bracket, linear, aligned and without those that don't belong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from headroom.image import FloatImage, Photo
from headroom.restore.align import Aligned, align
from headroom.restore.exposures import SettledBracket
from headroom.restore.noise import estimate_noise
from headroom.restore.support import Stack

_CLIP_LEVEL, _COMPRESSED_CLIP_LEVEL = 0.99, 0.95
"""Light, 1.0 = full scale, from which a sample may be a clipped one; compression smears the clip level."""


class Gathered(NamedTuple):
    """A bracket whose frames fit.

    Attributes:
        settled: The bracket, with the reference that was taken in the end.
        stack: The frames that belong.
        moved: Indices of the frames that alignment moved.
        rejected: Why a frame doesn't belong, by its index.
    """

    settled: SettledBracket
    stack: Stack
    moved: tuple[int, ...]
    rejected: dict[int, str]


def gather(settled: SettledBracket, *, aligning: bool, choosing: bool, progress: Callable[[float], None]) -> Gathered:
    """Bring the frames of a bracket together.

    Args:
        settled: The bracket.
        aligning: False to take the frames as they are.
        choosing: True when another frame may become the reference, should this one be the stranger.
        progress: Told the finished share.
    """
    if aligning:
        settled, aligned = _aligned(settled, progress, choosing=choosing)
    else:
        frames = list(_Frames(settled, progress))
        aligned = Aligned(frames, [np.ones(frame.shape[:2], np.bool_) for frame in frames], {}, (False,) * len(frames))
    progress(1.0)
    moved = tuple(int(i) for i in np.flatnonzero(aligned.helped))
    return Gathered(settled, _stack(settled, aligned), moved, aligned.rejected)


def frame_names(settled: SettledBracket) -> list[str]:
    """Name every frame for a person."""
    return [photo.source.name if photo.source else f"frame {i}" for i, photo in enumerate(settled.photos)]


class _Frames(Sequence[FloatImage]):
    """The linear frames of a bracket, made when they are asked for."""

    def __init__(self, settled: SettledBracket, progress: Callable[[float], None]) -> None:
        self._settled, self._progress = settled, progress

    def __len__(self) -> int:
        return len(self._settled.photos)

    def __getitem__(self, i: int) -> FloatImage:  # type: ignore[override]  # nobody asks for a slice
        frame = self._settled.linear(i)  # raises IndexError at the end
        self._progress(i / len(self))
        return frame


def _aligned(
    settled: SettledBracket, progress: Callable[[float], None], *, choosing: bool
) -> tuple[SettledBracket, Aligned]:
    """Align to the reference, or to another frame where most have nothing to do with the reference."""
    aligned = align(_Frames(settled, progress), settled.exposures, settled.reference)
    most = (len(settled.photos) - 1) / 2
    if not choosing or len(aligned.rejected) <= most:
        return settled, aligned
    ev = np.log2(settled.exposures)
    for i in sorted(aligned.rejected, key=lambda i: abs(ev[i] - ev[settled.reference])):
        other = align(_Frames(settled, progress), settled.exposures, i)
        if len(other.rejected) <= most:
            names = frame_names(settled)
            warning = f"{names[settled.reference]} doesn't fit the others, so {names[i]} is the reference."
            return replace(settled, reference=i, warnings=(*settled.warnings, warning)), other
    return settled, aligned


def _stack(settled: SettledBracket, aligned: Aligned) -> Stack:
    """Take the frames that belong."""
    kept = [i for i in range(len(aligned.linear)) if i not in aligned.rejected]
    frames = [aligned.linear[i] for i in kept]
    photos = [settled.photos[i] for i in kept]
    own = settled.exposures[settled.reference]
    return Stack(
        frames,
        seen=[aligned.valid[i] for i in kept],
        exposures=[settled.exposures[i] / own for i in kept],
        reference=kept.index(settled.reference),
        noise=[estimate_noise(frame, _code_step(photo)) for frame, photo in zip(frames, photos, strict=True)],
        clip_level=[_COMPRESSED_CLIP_LEVEL if photo.lossy_step > 0 else _CLIP_LEVEL for photo in photos],
    )


def _code_step(photo: Photo) -> float:
    """Give what a code of the file leaves open, as a share of the code range."""
    return max(1.0, photo.lossy_step) / photo.top_code if photo.bit_depth < 32 else 0.0
