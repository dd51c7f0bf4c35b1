"""One photo of a benchmark data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from headroom.image import Hdr, Photo


@dataclass(frozen=True, slots=True)
class Item:
    """A photo and the scene it shows; each is read or made when it is asked for.

    Attributes:
        name: Unique in its data set; results are files of this stem.
        photo: Gives the photo.
        truth: Gives the scene as it was, in linear light of any scale, as large as the photo. Raises `DataError` where
            the data set has none.
        files: What it is read or made from; none for one that a formula makes.
    """

    name: str
    photo: Callable[[], Photo]
    truth: Callable[[], Hdr]
    files: tuple[Path, ...] = ()
