"""Committed split lists: what was trained on and what was validated on, by asset name."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Literal

Split = Literal["train", "val"]


def split_of(name: str) -> Split | None:
    """Give the split of a panorama, or None for one that is in no list.

    Args:
        name: Asset name or file name; folder, suffix and resolution do not matter.

    >>> split_of("vestibule"), split_of("hdri/cave_wall_2k.exr"), split_of("my_garden.hdr")
    ('val', 'train', None)
    """
    return _splits().get(re.sub(r"_\d+k$", "", PurePath(name).stem))


@cache
def _splits() -> dict[str, Split]:
    lists = tomllib.loads(files(__name__).joinpath("panoramas.toml").read_text(encoding="utf-8"))
    splits: tuple[Split, Split] = ("train", "val")
    return {name: split for split in splits for name in lists[split]}
