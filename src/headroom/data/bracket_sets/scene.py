"""One bracket of a data set: paths, and what is in the files, in the units of a merge."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    """A bracket and, where the set has one, its truth; files are read when they are asked for.

    Attributes:
        name: Unique in its data set.
        frames: Files, in ascending exposure where that is known; their codes are light ** (1 / 2.2).
        exposures_ev: Of each frame; only differences matter. None where only the files themselves may tell.
        truth_file: HDR file of the scene as the middle frame saw it, 1.0 = clip level of the shortest frame.
        mask_file: Picture that is white where something moved or the middle frame is clipped.
    """

    name: str
    frames: tuple[Path, ...]
    exposures_ev: tuple[float, ...] | None
    truth_file: Path | None = None
    mask_file: Path | None = None

    def bracket(self) -> Bracket:
        """Read the frames; the middle one is the reference where exposures are known.

        Raises:
            InputError: A file is missing or damaged, or they are too few or too many.
        """
        bracket = read_bracket(self.frames, self.exposures_ev)
        frames = tuple(map(_as_the_field_reads_it, bracket.frames))
        reference = len(frames) // 2 if self.exposures_ev else None
        return replace(bracket, frames=frames, reference=reference, encoding=_GAMMA)

    def reference_exposure(self) -> float:
        """Give the exposure of the middle frame over that of the shortest.

        Raises:
            DataError: Exposures are not known.
        """
        if self.exposures_ev is None:
            raise DataError(f"{self.name}: its exposures are in no file. Write exposure.txt with an EV a line.")
        return float(2.0 ** (self.exposures_ev[len(self.frames) // 2] - self.exposures_ev[0]))

    def truth(self) -> FloatImage:
        """Read the truth: H x W x 3 linear light.

        Raises:
            DataError: The data set has none.
            InputError: The file is missing or damaged.
        """
        if self.truth_file is None:
            raise DataError(f"{self.name}: this data set has no truth. Look at its results instead.")
        return np.maximum(read_hdr(self.truth_file).pixels, 0)

    def mask(self) -> NDArray[np.bool_] | None:
        """Read the mask, H x W; None where there is none.

        Raises:
            InputError: The file is missing or damaged.
        """
        if self.mask_file is None:
            return None
        photo = read_photo(self.mask_file)
        return np.asarray(photo.codes[..., 0] > photo.top_code / 2)


def _as_the_field_reads_it(photo: Photo) -> Photo:
    """Ignore colour profiles, and scale 16-bit codes."""
    photo = replace(photo, encoding=_GAMMA)
    if photo.codes.dtype != np.uint16 or photo.bit_depth != 16:
        return photo
    return replace(photo, codes=np.asarray(photo.codes / _FULL_SCALE, np.float32), bit_depth=32)
