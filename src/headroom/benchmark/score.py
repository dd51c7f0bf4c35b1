"""The second of the two programs: compares result files, of whatever tool, with the truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from headroom.benchmark.item import Item
from headroom.benchmark.scenes import read_scene
from headroom.colour.primaries import convert
from headroom.errors import DataError, InputError
from headroom.image import FloatImage, Hdr
from headroom.metrics.expansion import ExpansionScore, score_expansion


class Scored(NamedTuple):
    """One result of one tool.

    Attributes:
        folder: Folder of the tool's results.
        name: The item's name.
        score: Its scores, or None with the reason in `error`.
        error: What is wrong with the result, or with the item itself.
    """

    folder: Path
    name: str
    score: ExpansionScore | None
    error: str = ""


def score(folders: Sequence[Path], items: Iterable[Item]) -> Iterator[Scored]:
    """Score `folder`/NAME.exr, .pfm, .tif or .hdr of each folder and item, item by item.

    No more is held than a photo, its truth and one result.
    """
    for item in items:
        try:
            codes, truth = _codes_and_truth(item)
        except (InputError, DataError) as error:
            yield from (Scored(folder, item.name, None, str(error)) for folder in folders)
            continue
        for folder in folders:
            try:
                yield Scored(folder, item.name, score_expansion(_result(folder, item.name, truth), truth, codes))
            except (InputError, DataError) as error:
                yield Scored(folder, item.name, None, str(error))


def _codes_and_truth(item: Item) -> tuple[FloatImage, FloatImage]:
    photo, truth = item.photo(), _bt709(item.truth())
    if photo.codes.shape != truth.shape:
        raise DataError(f"{item.name}: {_size(photo.codes.shape)} photo, {_size(truth.shape)} truth. Make them alike.")
    return np.asarray(photo.codes / np.float32(photo.top_code), dtype=np.float32), truth


def _result(folder: Path, name: str, truth: FloatImage) -> FloatImage:
    hdr = read_scene(folder, name)
    if hdr.pixels.shape != truth.shape:
        raise DataError(f"{hdr.source}: {_size(hdr.pixels.shape)}, the truth {_size(truth.shape)}. Make it anew.")
    return _bt709(hdr)


def _bt709(hdr: Hdr) -> FloatImage:
    return np.maximum(convert(hdr.pixels, hdr.primaries, "bt709"), 0)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]} px"
