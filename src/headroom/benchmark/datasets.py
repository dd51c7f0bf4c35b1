"""Data sets by the words that name them on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from headroom.benchmark.item import Item
from headroom.benchmark.pairs import pair_items
from headroom.benchmark.panoramas import panorama_items
from headroom.errors import DataError, UsageError

_KINDS: Mapping[str, Callable[[Path], list[Item]]] = {"panoramas": panorama_items, "pairs": pair_items}


def open_dataset(text: str) -> list[Item]:
    """Give the items of a data set, in a fixed order.

    Args:
        text: `panoramas:FOLDER` for photos that a virtual camera takes of the val split of a folder of HDR panoramas;
            `pairs:FOLDER` for photo files, each with the scene in an HDR file of the same stem beside it.

    Raises:
        UsageError: No such kind of data set.
        DataError: The folder does not hold what its kind asks for.
    """
    kind, _, folder = text.partition(":")
    if kind not in _KINDS or not folder:
        raise UsageError(f"{text}: names no data set. Write {' or '.join(f'{name}:FOLDER' for name in _KINDS)}.")
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: is not a folder. Give the folder of the data set.")
    return _KINDS[kind](Path(folder))
