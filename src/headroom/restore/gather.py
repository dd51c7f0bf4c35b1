"""The frames of a bracket, linear, aligned and without those that don't belong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from headroom.image import FloatImage, Photo
from headroom.restore.align import Aligned, align
from headroom.restore.exposures import SettledBracket, settle_some
from headroom.restore.frame_noise import NoisyFrame, noise_of_frames
from headroom.restore.noise import estimate_noise
from headroom.restore.support import Stack
from headroom.restore.true_exposure import misfit, true_exposures

_CLIP_LEVEL, _COMPRESSED_CLIP_LEVEL = 0.99, 0.85
"""Light, 1.0 = full scale, from which a sample tells no more; photos are compressed, and their cameras render what is
near white paler and darker than it is."""
_TOLERANCE, _MISFITS = 0.04, 1.5
"""Relative difference of two frames that exposure and interpolation explain, and how many mean misfits a curve does."""


class Gathered(NamedTuple):
    """A bracket whose frames fit.

    Attributes:
        settled: The frames that belong, as if no others had been given.
        stack: The same, aligned.
        places: Where they stand among all frames that were given, in ascending exposure.
        moved: Which of all frames alignment moved.
        rejected: Why a frame doesn't belong, by its place among all.
    """

    settled: SettledBracket
    stack: Stack
    places: tuple[int, ...]
    moved: tuple[int, ...]
    rejected: dict[int, str]


def gather(settled: SettledBracket, *, aligning: bool, progress: Callable[[float], None]) -> Gathered:
    """Bring the frames of a bracket together.

    A frame that doesn't belong has misled whatever was estimated from all of them, so the rest is settled anew.

    Args:
        settled: The bracket.
        aligning: False to take the frames as they are.
        progress: Told the finished share.
    """
    frames = _Frames(settled, progress)
    reference, aligned = _aligned(settled, frames) if aligning else (settled.reference, _as_they_are(frames))
    progress(1.0)
    kept = [i for i in range(len(frames)) if i not in aligned.rejected]
    if len(kept) == len(frames):
        settled = replace(settled, reference=reference)
        moved = tuple(int(i) for i in np.flatnonzero(aligned.helped))
        return Gathered(settled, _stack(settled, aligned), tuple(kept), moved, {})
    rest = settle_some(settled, kept, None if settled.given.reference is None else kept.index(reference))
    rejected = aligned.rejected
    del aligned  # its frames would take as much memory as those of the rest
    found = gather(rest, aligning=aligning, progress=lambda _: None)
    return found._replace(
        places=tuple(kept[i] for i in found.places),
        moved=tuple(kept[i] for i in found.moved),
        rejected=rejected | {kept[i]: reason for i, reason in found.rejected.items()},
    )


def frame_names(settled: SettledBracket) -> list[str]:
    """Name every frame for a person: by its file, with its folder where two files are called the same."""
    files = [photo.source for photo in settled.photos]
    names = [file.name if file else f"frame {i}" for i, file in enumerate(files)]
    return [str(file) if file and names.count(name) > 1 else name for name, file in zip(names, files, strict=True)]


class _Frames(Sequence[FloatImage]):
    """The linear frames of a bracket, made when they are asked for."""

    def __init__(self, settled: SettledBracket, progress: Callable[[float], None]) -> None:
        self._settled, self._progress = _in_sensor_channels(settled), progress
        self._asked = 0

    def __len__(self) -> int:
        return len(self._settled.photos)

    def __getitem__(self, i: int) -> FloatImage:  # type: ignore[override]  # nobody asks for a slice
        frame = self._settled.linear(i)  # raises IndexError at the end
        self._asked += 1
        self._progress(min(1.0, self._asked / (len(self) + 1)))
        return frame


def _in_sensor_channels(settled: SettledBracket) -> SettledBracket:
    """Leave camera RAW in the channels of its sensor, each of which clips by itself, until all is merged."""
    if any(encoding.sensor_matrix is None for encoding in settled.encodings):
        return settled
    return replace(settled, encodings=tuple(replace(encoding, sensor_matrix=None) for encoding in settled.encodings))


def _aligned(settled: SettledBracket, frames: _Frames) -> tuple[int, Aligned]:
    """Align to the reference, or to another frame where most have nothing to do with one that nobody asked for."""
    aligned = align(frames, settled.exposures, settled.reference)
    most = (len(frames) - 1) / 2
    if settled.given.reference is not None or len(aligned.rejected) <= most:
        return settled.reference, aligned
    ev = np.log2(settled.exposures)
    for i in sorted(aligned.rejected, key=lambda i: abs(ev[i] - ev[settled.reference])):
        other = align(frames, settled.exposures, i)
        if len(other.rejected) <= most:
            return i, other
    return settled.reference, aligned


def _as_they_are(frames: _Frames) -> Aligned:
    linear = list(frames)
    return Aligned(linear, [np.ones(frame.shape[:2], np.bool_) for frame in linear], {}, (False,) * len(linear))


def _stack(settled: SettledBracket, aligned: Aligned) -> Stack:
    """Say what is known about aligned frames."""
    own = settled.exposures[settled.reference]
    stated = [exposure / own for exposure in settled.exposures]
    exposures = true_exposures(aligned.linear, aligned.valid, stated, settled.reference)
    with ThreadPoolExecutor() as pool:
        alone = list(pool.map(estimate_noise, aligned.linear, map(_code_step, settled.photos)))
    return Stack(
        aligned.linear,
        seen=aligned.valid,
        exposures=exposures,
        reference=settled.reference,
        noise=noise_of_frames(list(map(NoisyFrame, aligned.linear, aligned.valid, exposures, alone))),
        tolerance=max(_TOLERANCE, _MISFITS * misfit(aligned.linear, aligned.valid, exposures)),
        clip_level=[_COMPRESSED_CLIP_LEVEL if photo.lossy_step > 0 else _CLIP_LEVEL for photo in settled.photos],
    )


def _code_step(photo: Photo) -> float:
    """Give what a code of the file leaves open, as a share of the code range."""
    return max(1.0, photo.lossy_step) / photo.top_code if photo.bit_depth < 32 else 0.0
