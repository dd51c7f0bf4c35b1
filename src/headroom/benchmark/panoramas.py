"""Data set `panoramas:FOLDER`: the photos that training validates on, as files would hold them."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from headroom.benchmark.item import Item
from headroom.data.validation import BATCH, PHOTOS, SIDE_PX, validation_data
from headroom.image import Encoding, Hdr, Photo
from headroom.methods.contract import ExpandBatch

_LOSSY_STEP = 5.0
"""Codes by which the virtual camera's JPEG may pull a clipped code down, as in `data.expansion`."""


def panorama_items(folder: Path) -> list[Item]:
    """Give the photos of a folder's validation panoramas, whose camera is unknown.

    Raises:
        DataError: The folder holds no panorama of the val split, or they differ in size.
    """
    data = validation_data(folder)

    @lru_cache(maxsize=1)
    def batch(index: int) -> ExpandBatch:
        return data.batch(index, BATCH, SIDE_PX)

    def photo(number: int) -> Photo:
        codes = np.rint(_image(batch(number // BATCH).encoded, number % BATCH) * 255).astype(np.uint8)
        return Photo(codes, 8, Encoding(known=False), _LOSSY_STEP)

    def truth(number: int) -> Hdr:
        return Hdr(_image(batch(number // BATCH).truth, number % BATCH))

    return [Item(f"view_{number:03}", partial(photo, number), partial(truth, number)) for number in range(PHOTOS)]


def _image(batch: Tensor, index: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(batch[index].permute(1, 2, 0).numpy())
