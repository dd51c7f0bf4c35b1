"""The second of the two programs: compares result files, of whatever tool, with the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from headroom.benchmark.item import Item
from headroom.benchmark.scenes import read_scene
from headroom.colour.primaries import convert
from headroom.data.bracket_sets.scene import BracketScene
from headroom.errors import DataError, InputError
from headroom.image import FloatImage, Hdr
from headroom.metrics.expansion import ExpansionScore, score_expansion
from headroom.metrics.merging import MergeScore, score_merge

Score = ExpansionScore | MergeScore


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
    score: Score | None
    error: str = ""


class _Judge(NamedTuple):
    """A truth that is in memory, and how results are compared with it."""

    truth: FloatImage
    score: Callable[[FloatImage], Score]


def score(folders: Sequence[Path], items: Iterable[Item | BracketScene]) -> Iterator[Scored]:
    """Score `folder`/NAME.exr, .pfm, .tif or .hdr of each folder and item, item by item.

    No more is held than a photo, its truth and one result.
    """
    for item in items:
        try:
            judge = _of_bracket(item) if isinstance(item, BracketScene) else _of_photo(item)
        except (InputError, DataError) as error:
            yield from (Scored(folder, item.name, None, str(error)) for folder in folders)
            continue
        for folder in folders:
            try:
                yield Scored(folder, item.name, judge.score(_result(folder, item.name, judge.truth)))
            except (InputError, DataError) as error:
                yield Scored(folder, item.name, None, str(error))


def _of_photo(item: Item) -> _Judge:
    photo, truth = item.photo(), _bt709(item.truth())
    if photo.codes.shape != truth.shape:
        raise DataError(f"{item.name}: {_size(photo.codes.shape)} photo, {_size(truth.shape)} truth. Make them alike.")
    codes = np.asarray(photo.codes / np.float32(photo.top_code), dtype=np.float32)
    return _Judge(truth, lambda result: score_expansion(result, truth, codes))


def _of_bracket(scene: BracketScene) -> _Judge:
    """Take results in units of the reference, as merges give them; above the shortest frame's clip none knows more."""
    truth, mask = np.minimum(scene.truth(), 1), scene.mask()
    if mask is not None and mask.shape != truth.shape[:2]:
        raise DataError(f"{scene.name}: {_size(mask.shape)} mask, {_size(truth.shape)} truth. Make them alike.")
    shortest = np.float32(1 / scene.reference_exposure())
    return _Judge(truth, lambda result: score_merge(np.minimum(result * shortest, 1), truth, mask))


def _result(folder: Path, name: str, truth: FloatImage) -> FloatImage:
    hdr = read_scene(folder, name)
    if hdr.pixels.shape != truth.shape:
        raise DataError(f"{hdr.source}: {_size(hdr.pixels.shape)}, the truth {_size(truth.shape)}. Make it anew.")
    return _bt709(hdr)


def _bt709(hdr: Hdr) -> FloatImage:
    return np.maximum(convert(hdr.pixels, hdr.primaries, "bt709"), 0)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]} px"
