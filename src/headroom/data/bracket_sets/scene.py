"""One bracket of a data set, in the units of a merge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headroom.errors import DataError
from headroom.image import Bracket, Encoding, FloatImage, Photo
from headroom.io import read_hdr, read_photo
from headroom.io.bracket import read_bracket

_GAMMA = Encoding(transfer="gamma22")
_FULL_SCALE = np.float32(65536)
"""What the field divides 16-bit codes by, so that the top code is a little below 1."""


@dataclass(frozen=True, slots=True)
class BracketScene:
    """A bracket and, where the set has one, its truth; each is read or made when it is asked for.

    Attributes:
        name: Unique in its data set.
        exposures_ev: Of each frame, ascending; only differences matter. None where only the files themselves may tell.
        bracket: Gives the frames; the middle one is the reference where exposures are known. May raise `InputError`.
        truth: Gives the scene as the middle frame saw it: H x W x 3 linear light, 1.0 = clip level of the shortest
            frame. Raises `DataError` where the data set has none, `InputError` where the file is damaged.
        mask: Gives where something moved or the middle frame is clipped, H x W; None where nobody knows.
        files: What it is read from; none for one that is made.
    """

    name: str
    exposures_ev: tuple[float, ...] | None
    bracket: Callable[[], Bracket]
    truth: Callable[[], FloatImage]
    mask: Callable[[], NDArray[np.bool_] | None] = lambda: None
    files: tuple[Path, ...] = ()

    def reference_exposure(self) -> float:
        """Give the exposure of the middle frame over that of the shortest.

        Raises:
            DataError: Exposures are not known.
        """
        if self.exposures_ev is None:
            raise DataError(f"{self.name}: its exposures are in no file. Write exposure.txt with an EV a line.")
        return float(2.0 ** (self.exposures_ev[len(self.exposures_ev) // 2] - self.exposures_ev[0]))


def scene_of_files(
    name: str,
    frames: tuple[Path, ...],
    exposures_ev: tuple[float, ...] | None,
    truth: Path | None = None,
    mask: Path | None = None,
) -> BracketScene:
    """Make a scene of files as most of the field's sets have them.

    Args:
        name: Unique in its data set.
        frames: Photos whose codes are light ** (1 / 2.2), in ascending exposure where that is known.
        exposures_ev: Of each frame.
        truth: HDR file in units of the shortest frame.
        mask: Picture that is white where something moved or the middle frame is clipped.
    """
    return BracketScene(
        name,
        exposures_ev,
        partial(_read_frames, frames, exposures_ev),
        partial(_read_truth, name, truth),
        partial(_read_mask, mask),
        tuple(path for path in (*frames, truth, mask) if path),
    )


def _read_frames(frames: tuple[Path, ...], exposures_ev: tuple[float, ...] | None) -> Bracket:
    bracket = read_bracket(frames, exposures_ev)
    reference = len(frames) // 2 if exposures_ev else None
    photos = tuple(map(_as_the_field_reads_it, bracket.frames))
    return replace(bracket, frames=photos, reference=reference, encoding=_GAMMA)


def _read_truth(name: str, path: Path | None) -> FloatImage:
    if path is None:
        raise DataError(f"{name}: this data set has no truth. Look at its results instead.")
    return np.maximum(read_hdr(path).pixels, 0)


def _read_mask(path: Path | None) -> NDArray[np.bool_] | None:
    if path is None:
        return None
    photo = read_photo(path)
    return np.asarray(photo.codes[..., 0] > photo.top_code / 2)


def _as_the_field_reads_it(photo: Photo) -> Photo:
    """Ignore colour profiles, and scale 16-bit codes."""
    photo = replace(photo, encoding=_GAMMA)
    if photo.codes.dtype != np.uint16 or photo.bit_depth != 16:
        return photo
    return replace(photo, codes=np.asarray(photo.codes / _FULL_SCALE, np.float32), bit_depth=32)
