"""Data sets by the words that name them on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from headroom.benchmark.item import Item
from headroom.benchmark.pairs import pair_items
from headroom.benchmark.panoramas import panorama_items
from headroom.data.bracket_sets.challenge123 import find_challenge123
from headroom.data.bracket_sets.layouts import LAYOUTS, find_scenes
from headroom.data.bracket_sets.scene import BracketScene
from headroom.errors import DataError, UsageError

_PHOTOS: Mapping[str, Callable[[Path], list[Item]]] = {"panoramas": panorama_items, "pairs": pair_items}
_BRACKETS: Mapping[str, Callable[[Path], list[BracketScene]]] = {
    **{name: partial(find_scenes, layout=layout) for name, layout in LAYOUTS.items()},
    "challenge123": find_challenge123,
}


def open_dataset(text: str) -> list[Item] | list[BracketScene]:
    """Give the items of a data set, in a fixed order: photos to expand or brackets to merge.

    Args:
        text: `panoramas:FOLDER` for photos that a virtual camera takes of the val split of a folder of HDR panoramas;
            `pairs:FOLDER` for photo files, each with the scene in an HDR file of the same stem beside it;
            `brackets:FOLDER` for what `headroom data brackets` wrote; `kalantari`, `hu`, `tel`, `challenge123`, `sen`
            and `tursun` for those data sets of the field.

    Raises:
        UsageError: No such kind of data set.
        DataError: The folder does not hold what its kind asks for.
    """
    kind, _, folder = text.partition(":")
    if kind not in {*_PHOTOS, *_BRACKETS} or not folder:
        raise UsageError(
            f"{text}: names no data set. Write {' or '.join(f'{name}:FOLDER' for name in (*_PHOTOS, *_BRACKETS))}."
        )
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: is not a folder. Give the folder of the data set.")
    return _PHOTOS[kind](Path(folder)) if kind in _PHOTOS else _BRACKETS[kind](Path(folder))
