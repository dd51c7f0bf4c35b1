"""Data set `exposure-errors:FOLDER`: the badly exposed photos that training validates on, as files would hold them.

Not to be mixed up with the data set of Afifi et al. 2021, which is `msec:FOLDER` here.
"""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from torch import Tensor

from headroom.benchmark.item import EnhanceItem
from headroom.data.enhancement import EnhancementData
from headroom.data.enhancement_validation import PHOTOS, SIDE_PX, exposure_errors
from headroom.data.panoramas import panorama_files
from headroom.image import Photo
from headroom.methods.contract import EnhanceBatch


def exposure_error_items(folder: Path) -> list[EnhanceItem]:
    """Give the photos of a folder's validation panoramas.

    Raises:
        DataError: The folder holds no panorama of the val split, or they differ in size.
    """
    return example_items(exposure_errors(folder), PHOTOS, SIDE_PX, files=tuple(panorama_files(folder, "val")))


def example_items(
    data: EnhancementData, photos: int, side_px: int, *, files: tuple[Path, ...] = ()
) -> list[EnhanceItem]:
    """Give the first photos of a virtual camera's endless sequence.

    Args:
        data: Scenes and camera.
        photos: How many.
        side_px: Their side.
        files: What the scenes were read from.
    """

    @lru_cache(maxsize=1)
    def example(number: int) -> EnhanceBatch:
        return data.example(number, side_px)

    def photo(number: int) -> Photo:
        return _photo(example(number).encoded)

    def truth(number: int) -> Photo:
        return _photo(example(number).truth)

    return [
        EnhanceItem(f"error_{number:03}", partial(photo, number), partial(truth, number), files)
        for number in range(photos)
    ]


def _photo(codes: Tensor) -> Photo:
    """Round 1 x 3 x H x W code values in [0, 1] to those of an 8-bit file."""
    picture = np.ascontiguousarray(codes[0].permute(1, 2, 0).numpy())
    return Photo(np.rint(picture * 255).astype(np.uint8), 8)
