"""What of a stored picture is shown and which way up: the properties `clap`, `irot` and `imir` of AVIF and HEIF.

They apply one after the other, each to what the ones before have left, in the order of the file (ISO/IEC 23008-12,
6.3). Files that follow ISO/IEC 23000-22 (MIAF) crop first, then turn, then mirror.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from headroom.io import orientation
from headroom.io.isobmff import Box

_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class View:
    """A part of a stored raster, turned.

    Attributes:
        rows: Where the rows of the shown picture lie, from the top on: rows of the raster, or its columns.
        columns: Where its columns lie, from the left on.
        swapped: True when rows lie in columns of the raster, and columns in rows.
    """

    rows: range
    columns: range
    swapped: bool = False

    @property
    def stored_size(self) -> tuple[int, int]:
        """Columns and rows of the part before it is turned."""
        rows, columns = len(self.rows), len(self.columns)
        return (rows, columns) if self.swapped else (columns, rows)

    @property
    def orientation(self) -> int:
        """EXIF orientation of the raster."""
        return orientation.of(swap=self.swapped, rows=self.rows.step < 0, columns=self.columns.step < 0)

    def of(self, stored: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """Return what is shown of a raster, H x W or H x W x C."""
        picture: NDArray[Any] = stored.swapaxes(0, 1) if self.swapped else stored
        return np.ascontiguousarray(picture[_slice(self.rows), _slice(self.columns)])


def view_of(width: int, height: int, properties: list[Box]) -> View:
    """Return the view that the properties of a picture of this stored size ask for.

    Raises:
        ValueError: It is empty or goes beyond the picture.
        ZeroDivisionError: A number of the clean aperture is none.
        struct.error: A property breaks off.
    """
    view = View(range(height), range(width))
    for kind, body in properties:
        if kind == b"irot":
            for _ in range(body[0] & 3):  # quarter turns against the clock
                view = View(view.columns[::-1], view.rows, not view.swapped)
        elif kind == b"imir":  # 0 exchanges top and bottom, 1 left and right
            view = replace(view, columns=view.columns[::-1]) if body[0] & 1 else replace(view, rows=view.rows[::-1])
        elif kind == b"clap":
            numbers = struct.unpack_from(">IIIIiIiI", body)
            sides = [Fraction(*numbers[at : at + 2]) for at in (0, 2, 4, 6)]
            view = replace(view, columns=_cut(view.columns, *sides[0::2]), rows=_cut(view.rows, *sides[1::2]))
    return view


def _cut(side: range, length: Fraction, offset: Fraction) -> range:
    """Return the part of a side that is this long and whose middle lies that far from the side's.

    Parts of a pixel, which MIAF forbids, are rounded as libheif does it.
    """
    start = math.floor((len(side) - length) / 2 + offset)  # ISO/IEC 14496-12, 12.1.4
    end = start + math.floor(length + Fraction(1, 2))
    if not 0 <= start < end <= len(side):
        raise ValueError("the clean aperture is empty or goes beyond the picture")
    return side[start:end]


def _slice(part: range) -> slice:
    """Return what cuts this range out of an axis; a slice has no way to stop at -1."""
    return slice(part.start, part.stop if part.stop >= 0 else None, part.step)
