"""Pictures of one image as several methods made it, alike in their look, and cut where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from headroom.benchmark.item import AnyItem
from headroom.benchmark.showing import (
    LEVELLED,
    Look,
    Read,
    clipped_jpeg,
    fitting,
    luminance,
    reader_of_input,
    reader_of_result,
    reader_of_truth,
    resized,
)
from headroom.errors import DataError, InputError
from headroom.image import FloatImage

_SIDE_PX = 400
"""Longest side of a picture."""
_CROP_PX = (48, 256)
"""Smallest and largest side of a crop, which else is a quarter of the image's short side."""
_DARK = 0.03
"""Light below which differences hardly show."""
_INPUT, _TRUTH = "input", "truth"


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture.

    Attributes:
        label: Whose it is.
        picture: JPEG of the whole; empty where it cannot be shown.
        crop: JPEG of the crop; empty where there is none.
        error: Why it cannot be shown.
    """

    label: str
    picture: bytes = b""
    crop: bytes = b""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pictures that show the same.

    Attributes:
        name: The image's name.
        tiles: The input, the truth and the results, as far as they are known.
        crop_ev: Exposure of the crops over that of the pictures.
        look: How the pictures were made.
    """

    name: str
    tiles: tuple[Tile, ...]
    crop_ev: float
    look: Look


def compare(name: str, item: AnyItem | None, folders: Mapping[str, Path], *, look: Look = LEVELLED) -> Comparison:
    """Show an image as every folder has it; no more than two are held at a time.

    Args:
        name: The image's name.
        item: Its photo or bracket, of which the middle frame is shown, and its truth; None where the data set is not
            at hand.
        folders: Folders of results by label.
        look: How light becomes pictures; as a rule in the brightness of the photo.
    """
    sources: dict[str, Read] = {_INPUT: reader_of_input(item), _TRUTH: reader_of_truth(item)} if item else {}
    return _compare(name, sources | {label: reader_of_result(folder, name) for label, folder in folders.items()}, look)


def _compare(name: str, sources: Mapping[str, Read], look: Look) -> Comparison:
    """Look at everything twice: small to find what differs, then at full size for the crops."""
    small: dict[str, FloatImage] = {}
    gains: dict[str, float] = {}
    errors: dict[str, str] = {}
    size: tuple[int, ...] = ()
    for label, read in sources.items():
        try:
            light = read()
        except (InputError, DataError) as error:
            errors[label] = str(error)
            continue
        size = size or light.shape[:2]
        thumbnail = resized(light, fitting(size, _SIDE_PX))
        gains[label] = look.gain(thumbnail, next(iter(small.values()), thumbnail))
        small[label] = thumbnail * np.float32(gains[label])
    crops, crop_ev = _crops(sources, small, gains, size, look.crop_at)
    tiles = (
        Tile(label, error=errors[label])
        if label in errors
        else Tile(label, look.picture(small[label]), crops.get(label, b""))
        for label in sources
    )
    return Comparison(name, tuple(tiles), crop_ev, look)


def _crops(
    sources: Mapping[str, Read],
    small: Mapping[str, FloatImage],
    gains: Mapping[str, float],
    size: tuple[int, ...],
    crop_at: float,
) -> tuple[dict[str, bytes], float]:
    """Cut everything at the place where results and truth differ most, so exposed that highlights are seen."""
    compared = [picture for label, picture in small.items() if label != _INPUT]
    if len(compared) < 2:
        return {}, 0.0
    side = min(*size, max(_CROP_PX[0], min(min(size) // 4, _CROP_PX[1])))
    top, left = _most_different(compared, size, side)
    crops = {}
    for label in small:
        light = sources[label]()
        if light.shape[:2] == size:
            crops[label] = light[top : top + side, left : left + side] * np.float32(gains[label])
    highlights = [float(np.percentile(crop, 99)) for label, crop in crops.items() if label != _INPUT]
    brightest = float(np.median(highlights or [crop_at]))
    ev = round(min(0.0, float(np.log2(crop_at / max(brightest, 0.1)))), 1)
    return {label: clipped_jpeg(crop * np.float32(2.0**ev)) for label, crop in crops.items()}, ev


def _most_different(small: Sequence[FloatImage], size: tuple[int, ...], side: int) -> tuple[int, int]:
    """Find the top left corner of the square of `side` in which log light differs most between pictures."""
    scale = small[0].shape[0] / size[0]
    logs = np.stack([np.log2(luminance(picture) + _DARK) for picture in small])
    window = max(1, round(side * scale))
    inner = cv2.boxFilter(logs.std(axis=0), -1, (window, window), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    inner = inner[: max(1, inner.shape[0] - window + 1), : max(1, inner.shape[1] - window + 1)]
    row, column = np.unravel_index(int(inner.argmax()), inner.shape)
    return min(round(row / scale), size[0] - side), min(round(column / scale), size[1] - side)
