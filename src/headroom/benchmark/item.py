"""What benchmark data sets are made of, one kind for each verb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from headroom.data.bracket_sets.scene import BracketScene
from headroom.image import Hdr, Photo
from headroom.metrics.contract import Verb


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


@dataclass(frozen=True, slots=True)
class EnhanceItem:
    """A badly exposed photo and the picture that it should have been; each is read or made when it is asked for.

    Attributes:
        name: Unique in its data set; results are files of this stem.
        photo: Gives the photo.
        truth: Gives the picture, as large as the photo.
        files: What it is read or made from; none for one that a formula makes.
    """

    name: str
    photo: Callable[[], Photo]
    truth: Callable[[], Photo]
    files: tuple[Path, ...] = ()


AnyItem = Item | BracketScene | EnhanceItem
"""One image of a data set; all of a set are of one kind."""


def verb_of(item: AnyItem) -> Verb:
    """Say what is done to an item."""
    match item:
        case BracketScene():
            return "merge"
        case EnhanceItem():
            return "enhance"
    return "expand"
