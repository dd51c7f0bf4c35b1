"""Data sets `eye-over:` and `eye-under:`: the scenes of HDR-Eye, taken again too bright and too dark.

Sagiri's authors changed the exposure of all of HDR-Eye by an amount that they do not tell. Here it is two stops from
the photo's own exposure, and the scene, not the photo, is taken again, so that under-exposure shows what the photo had
clipped. The camera is sRGB with 8 bits. Figures are therefore not comparable with those of the paper.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from headroom.benchmark.item import Item
from headroom.benchmark.photo_sets import single_hdr_items
from headroom.colour.primaries import convert, luminance_weights
from headroom.colour.transfer import decode_codes, encode
from headroom.errors import DataError
from headroom.image import Encoding, Photo

_STEP_EV = 2.0
_WELL_EXPOSED = (0.1, 0.8)
"""Linear light of the photo in which its exposure is measured."""


def eye_over_items(folder: Path) -> list[Item]:
    """Give HDR-Eye, two stops brighter.

    Raises:
        DataError: The folder does not hold HDR-Eye.
    """
    return [re_exposed(item, _STEP_EV) for item in single_hdr_items(folder)]


def eye_under_items(folder: Path) -> list[Item]:
    """Give HDR-Eye, two stops darker.

    Raises:
        DataError: The folder does not hold HDR-Eye.
    """
    return [re_exposed(item, -_STEP_EV) for item in single_hdr_items(folder)]


def re_exposed(item: Item, ev: float) -> Item:
    """Give the item whose photo is `ev` brighter; where nothing is well exposed, reading it raises `DataError`."""
    return Item(item.name, partial(_take, item, ev), item.truth, item.files)


def _take(item: Item, ev: float) -> Photo:
    photo, truth = item.photo(), item.truth()
    linear = decode_codes(photo.codes, photo.encoding, photo.bit_depth)
    scene = np.maximum(convert(truth.pixels, truth.primaries, "bt709"), 0)
    if linear.shape != scene.shape:
        raise DataError(f"{item.name}: photo and truth differ in size. Download the data set again.")
    low, high = _WELL_EXPOSED
    used = (linear.min(-1) >= low) & (linear.max(-1) <= high) & (scene.min(-1) > 0)
    if not used.any():
        raise DataError(f"{item.name}: nothing is well exposed, so its exposure is unknown. Take it out.")
    weights = luminance_weights("bt709")
    gain = np.median((linear[used] @ weights) / (scene[used] @ weights))
    light = np.clip(scene * np.float32(gain * 2.0**ev), 0, 1)
    return Photo(np.rint(encode(light, "srgb") * 255).astype(np.uint8), 8, Encoding())
