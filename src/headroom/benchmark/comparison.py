"""Pictures of one image as several methods made it, in one brightness and tone curve, and cut where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headroom.benchmark.item import Item
from headroom.benchmark.results import read_result
from headroom.colour.primaries import convert, luminance_weights
from headroom.colour.tone_mapping import filmic
from headroom.colour.transfer import decode_codes, encode
from headroom.data.bracket_sets.scene import BracketScene
from headroom.errors import DataError, InputError
from headroom.image import Encoding, FloatImage, Hdr, Photo

_SIDE_PX = 400
"""Longest side of a picture."""
_CROP_PX = (48, 256)
"""Smallest and largest side of a crop, which else is a quarter of the image's short side."""
_MIDTONES = (0.02, 0.8)
"""Light by which brightness is compared."""
_DARKEST_LOG2 = -8.0
_QUALITY = 88

Read = Callable[[], FloatImage]
"""Gives H x W x 3 linear BT.709 light of any scale. Raises `InputError` or `DataError`."""


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
    """

    name: str
    tiles: tuple[Tile, ...]
    crop_ev: float


def compare(name: str, item: Item | BracketScene | None, folders: Mapping[str, Path]) -> Comparison:
    """Show an image as every folder has it, in the brightness of its photo; no more than two are held at a time.

    Args:
        name: The image's name.
        item: Its photo or bracket and its truth; None where the data set is not at hand.
        folders: Folders of results by label.
    """
    sources: dict[str, Read] = {**(_known(item) if item else {})}
    sources |= {label: partial(read_light, folder, name) for label, folder in folders.items()}
    return _compare(name, sources)


def read_light(folder: Path, name: str) -> FloatImage:
    """Read a result: H x W x 3 linear BT.709 light.

    Raises:
        DataError: There is none.
        InputError: It cannot be read.
    """
    result = read_result(folder, name)
    return _light_of_hdr(result) if isinstance(result, Hdr) else _light_of_photo(result, result.encoding)


def show(light: FloatImage) -> bytes:
    """Tone-map light, 1.0 = SDR white, to a JPEG that fits a page."""
    height, width = light.shape[:2]
    scale = min(1, _SIDE_PX / max(height, width))
    return _jpeg(filmic(_resized(light, (round(width * scale), round(height * scale)))))


def gain_between(light: FloatImage, target: FloatImage) -> float:
    """Give the factor that brings `light` to the brightness of `target` in the midtones of `target`."""
    ours, theirs = _luminance(light), _luminance(target)
    used = (theirs > _MIDTONES[0]) & (theirs < _MIDTONES[1]) & (ours > 0)
    if not used.any():
        used = (theirs > 0) & (ours > 0)
    return float(np.median(theirs[used] / ours[used])) if used.any() else 1.0


def _known(item: Item | BracketScene) -> dict[str, Read]:
    if isinstance(item, BracketScene):
        return {"input, middle frame": partial(_light_of_bracket, item), "truth": item.truth}
    return {"input": partial(_light_of_item, item), "truth": lambda: _light_of_hdr(item.truth())}


def _light_of_item(item: Item) -> FloatImage:
    photo = item.photo()
    return _light_of_photo(photo, photo.encoding)


def _light_of_bracket(scene: BracketScene) -> FloatImage:
    bracket = scene.bracket()
    middle = bracket.frames[len(bracket.frames) // 2]
    return _light_of_photo(middle, bracket.encoding or middle.encoding)


def _light_of_photo(photo: Photo, encoding: Encoding) -> FloatImage:
    return np.maximum(convert(decode_codes(photo.codes, encoding, photo.bit_depth), encoding.primaries, "bt709"), 0)


def _light_of_hdr(hdr: Hdr) -> FloatImage:
    return np.maximum(convert(hdr.pixels, hdr.primaries, "bt709"), 0)


def _compare(name: str, sources: Mapping[str, Read]) -> Comparison:
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
        thumbnail = _resized(light, _thumbnail_size(size))
        gains[label] = gain_between(thumbnail, next(iter(small.values()), thumbnail))
        small[label] = thumbnail * np.float32(gains[label])
    crops, crop_ev = _crops(sources, small, gains, size)
    tiles = (
        Tile(label, error=errors[label])
        if label in errors
        else Tile(label, _jpeg(filmic(small[label])), crops.get(label, b""))
        for label in sources
    )
    return Comparison(name, tuple(tiles), crop_ev)


def _crops(
    sources: Mapping[str, Read], small: Mapping[str, FloatImage], gains: Mapping[str, float], size: tuple[int, ...]
) -> tuple[dict[str, bytes], float]:
    """Cut everything at the place where results and truth differ most, so exposed that highlights are seen."""
    compared = [picture for label, picture in small.items() if not label.startswith("input")]
    if len(compared) < 2:
        return {}, 0.0
    side = min(*size, max(_CROP_PX[0], min(min(size) // 4, _CROP_PX[1])))
    top, left = _most_different(compared, size, side)
    crops = {}
    for label in small:
        light = sources[label]()
        if light.shape[:2] == size:
            crops[label] = light[top : top + side, left : left + side] * np.float32(gains[label])
    brightest = np.median([np.percentile(crop, 99) for label, crop in crops.items() if not label.startswith("input")])
    ev = round(min(0.0, float(np.log2(0.8 / max(brightest, 1e-6)))), 1)
    return {label: _jpeg(np.clip(crop * np.float32(2.0**ev), 0, 1)) for label, crop in crops.items()}, ev


def _most_different(small: Sequence[FloatImage], size: tuple[int, ...], side: int) -> tuple[int, int]:
    """Find the top left corner of the square of `side` in which log light differs most between pictures."""
    scale = small[0].shape[0] / size[0]
    logs = np.stack([np.log2(np.maximum(_luminance(picture), 2.0**_DARKEST_LOG2)) for picture in small])
    window = max(1, round(side * scale))
    inner = cv2.boxFilter(logs.std(axis=0), -1, (window, window), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    inner = inner[: max(1, inner.shape[0] - window + 1), : max(1, inner.shape[1] - window + 1)]
    row, column = np.unravel_index(int(inner.argmax()), inner.shape)
    return min(round(row / scale), size[0] - side), min(round(column / scale), size[1] - side)


def _thumbnail_size(size: tuple[int, ...]) -> tuple[int, int]:
    scale = min(1, _SIDE_PX / max(size))
    return max(1, round(size[1] * scale)), max(1, round(size[0] * scale))


def _resized(light: FloatImage, size: tuple[int, int]) -> FloatImage:
    return np.asarray(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.float32)


def _luminance(light: FloatImage) -> NDArray[np.float64]:
    return np.asarray(light @ luminance_weights("bt709"), np.float64)


def _jpeg(light: FloatImage) -> bytes:
    """Encode light in [0, 1] as an sRGB JPEG."""
    data = BytesIO()
    codes = np.rint(encode(light, "srgb") * 255).astype(np.uint8)
    Image.fromarray(codes).save(data, "JPEG", quality=_QUALITY, optimize=True)
    return data.getvalue()
