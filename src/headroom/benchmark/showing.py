"""Light as pictures on a page: of inputs, truths and results of any tool, in one brightness and one tone curve.

But for photos that were enhanced: these are shown as they are, since their brightness is what was changed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headroom.benchmark.item import AnyItem, EnhanceItem
from headroom.benchmark.results import read_result
from headroom.colour.primaries import convert, luminance_weights
from headroom.colour.tone_mapping import filmic
from headroom.colour.transfer import decode_codes, encode
from headroom.data.bracket_sets.scene import BracketScene
from headroom.image import Encoding, FloatImage, Hdr, Photo

_MIDTONES = (0.02, 0.8)
"""Light by which brightness is compared."""
_QUALITY = 88

Read = Callable[[], FloatImage]
"""Gives H x W x 3 linear BT.709 light of any scale. Raises `InputError` or `DataError`."""


def reader_of_input(item: AnyItem) -> Read:
    """Give what reads the photo, or the middle frame of the bracket."""
    return partial(_light_of_bracket, item) if isinstance(item, BracketScene) else partial(_light_of_own, item.photo)


def reader_of_truth(item: AnyItem) -> Read:
    """Give what reads the truth."""
    match item:
        case BracketScene():
            return item.truth
        case EnhanceItem():
            return partial(_light_of_own, item.truth)
    return lambda: _light_of_hdr(item.truth())


def reader_of_result(folder: Path, name: str) -> Read:
    """Give what reads the result of an image, light or SDR picture."""
    return partial(_light_of_result, folder, name)


def fitting(size: tuple[int, ...], side_px: int) -> tuple[int, int]:
    """Give the width and height at which a picture of this height and width fits a square."""
    scale = min(1, side_px / max(size))
    return max(1, round(size[1] * scale)), max(1, round(size[0] * scale))


def resized(light: FloatImage, width_height: tuple[int, int]) -> FloatImage:
    """Average light down to a size."""
    return np.asarray(cv2.resize(light, width_height, interpolation=cv2.INTER_AREA), np.float32)


def luminance(light: FloatImage) -> NDArray[np.float64]:
    """Give H x W luminance."""
    return np.asarray(light @ luminance_weights("bt709"), np.float64)


def gain_between(light: FloatImage, target: FloatImage) -> float:
    """Give the factor that brings `light` to the brightness of `target` in the midtones of `target`."""
    ours, theirs = luminance(light), luminance(target)
    used = (theirs > _MIDTONES[0]) & (theirs < _MIDTONES[1]) & (ours > 0)
    if not used.any():
        used = (theirs > 0) & (ours > 0)
    return float(np.median(theirs[used] / ours[used])) if used.any() else 1.0


def tone_mapped_jpeg(light: FloatImage) -> bytes:
    """Show light, 1.0 = SDR white, with its highlights rolled off."""
    return clipped_jpeg(filmic(light))


def clipped_jpeg(light: FloatImage) -> bytes:
    """Show light up to 1."""
    codes = np.rint(encode(np.clip(light, 0, 1), "srgb") * 255).astype(np.uint8)
    data = BytesIO()
    Image.fromarray(codes).save(data, "JPEG", quality=_QUALITY, optimize=True)
    return data.getvalue()


@dataclass(frozen=True, slots=True)
class Look:
    """How light becomes pictures.

    Attributes:
        gain: Gives the factor that brings light to the brightness of other light.
        picture: Makes a JPEG.
        crop_at: Light that the highlights of crops are brought down to.
    """

    gain: Callable[[FloatImage, FloatImage], float]
    picture: Callable[[FloatImage], bytes]
    crop_at: float


LEVELLED = Look(gain_between, tone_mapped_jpeg, crop_at=0.8)
"""In one brightness, highlights rolled off; in crops, exposed so that they are seen."""
AS_IT_IS = Look(lambda _light, _target: 1.0, clipped_jpeg, crop_at=np.inf)
"""Unchanged, for photos that were enhanced."""


def data_uri(jpeg: bytes) -> str:
    """Give a JPEG as an address that holds it."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _light_of_result(folder: Path, name: str) -> FloatImage:
    result = read_result(folder, name)
    return _light_of_hdr(result) if isinstance(result, Hdr) else _light_of_photo(result, result.encoding)


def _light_of_own(read: Callable[[], Photo]) -> FloatImage:
    photo = read()
    return _light_of_photo(photo, photo.encoding)


def _light_of_bracket(scene: BracketScene) -> FloatImage:
    bracket = scene.bracket()
    middle = bracket.frames[len(bracket.frames) // 2]
    return _light_of_photo(middle, bracket.encoding or middle.encoding)


def _light_of_photo(photo: Photo, encoding: Encoding) -> FloatImage:
    return np.maximum(convert(decode_codes(photo.codes, encoding, photo.bit_depth), encoding.primaries, "bt709"), 0)


def _light_of_hdr(hdr: Hdr) -> FloatImage:
    return np.maximum(convert(hdr.pixels, hdr.primaries, "bt709"), 0)
