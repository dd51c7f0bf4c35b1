"""Data sets `synth:FOLDER`, the photos that training validates on as files would hold them, and `synth-5:`, more."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from headroom.benchmark.item import Item
from headroom.data.expansion import ExpansionData
from headroom.data.panoramas import panorama_files
from headroom.data.validation import BATCH, DRAWS, PHOTOS, SIDE_PX, validation_data
from headroom.image import Encoding, Hdr, Photo
from headroom.methods.contract import ExpandBatch

_LOSSY_STEP = 5.0
"""Codes by which the virtual camera's JPEG may pull a clipped code down, as in `data.expansion`."""


def panorama_items(folder: Path) -> list[Item]:
    """Give the photos of a folder's validation panoramas, whose camera is unknown.

    Raises:
        DataError: The folder holds no panorama of the val split, or they differ in size.
    """
    return _drawn(folder, DRAWS[:1])


def panorama_items_of_all_draws(folder: Path) -> list[Item]:
    """Give five times as many, the photos of `panorama_items` first: draws differ by more than methods do.

    Raises:
        DataError: See `panorama_items`.
    """
    return _drawn(folder, DRAWS)


def _drawn(folder: Path, seeds: tuple[int, ...]) -> list[Item]:
    data, files = validation_data(folder), tuple(panorama_files(folder, "val"))
    return [
        item
        for draw, seed in enumerate(seeds)
        for item in view_items(replace(data, seed=seed), PHOTOS, BATCH, SIDE_PX, first=draw * PHOTOS, files=files)
    ]


def view_items(
    data: ExpansionData, photos: int, at_a_time: int, side_px: int, *, first: int = 0, files: tuple[Path, ...] = ()
) -> list[Item]:
    """Give the first photos of a virtual camera's endless sequence.

    Args:
        data: Scenes and camera.
        photos: How many.
        at_a_time: How many are made together; the random numbers of a photo depend on it.
        side_px: Their side.
        first: Number in the name of the first.
        files: What the scenes were read from.
    """

    @lru_cache(maxsize=1)
    def batch(index: int) -> ExpandBatch:
        return data.batch(index, at_a_time, side_px)

    def photo(number: int) -> Photo:
        light = _image(batch(number // at_a_time).encoded, number % at_a_time)
        return Photo(np.rint(light * 255).astype(np.uint8), 8, Encoding(known=False), _LOSSY_STEP)

    def truth(number: int) -> Hdr:
        return Hdr(_image(batch(number // at_a_time).truth, number % at_a_time))

    return [
        Item(f"view_{first + number:03}", partial(photo, number), partial(truth, number), files)
        for number in range(photos)
    ]


def _image(batch: Tensor, index: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(batch[index].permute(1, 2, 0).numpy())
