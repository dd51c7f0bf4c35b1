"""Photos out: JPEG, PNG, WebP and TIFF of integers, with their metadata."""

from __future__ import annotations

import dataclasses
import zlib
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headroom.colour.icc import profile_for
from headroom.colour.strips import strips
from headroom.errors import UsageError
from headroom.image import Encoding, Photo
from headroom.io import exif, tiff_file
from headroom.io.formats import FORMATS
from headroom.io.gain_map_metadata import without_directory
from headroom.io.jpeg_metadata import fitted
from headroom.io.png_file import with_chunks

DEPTHS: dict[str, tuple[int, ...]] = {"jpeg": (8,), "png": (8, 16), "webp": (8,), "tiff": (8, 16)}
"""Bits of a code that each format holds."""

_QUALITY = 95


def with_depth(photo: Photo, bit_depth: Literal[8, 16]) -> Photo:
    """Return a photo whose codes have 8 or 16 bits; rounded, not dithered."""
    kind = np.uint8 if bit_depth == 8 else np.uint16
    if photo.codes.dtype == kind and photo.bit_depth == bit_depth:
        return photo
    codes: NDArray[np.uint8] | NDArray[np.uint16] = np.empty(photo.codes.shape, kind)
    for rows in strips(codes.shape):
        codes[rows] = np.rint(photo.codes[rows] * ((2**bit_depth - 1) / photo.top_code))
    return dataclasses.replace(photo, codes=codes, bit_depth=bit_depth, original=None)


def fitting_depth(photo: Photo, path: Path) -> Photo:
    """Return a photo of 8 or 16 bits in the largest depth of these that the format of a path's suffix holds.

    Raises:
        UsageError: The suffix names no format.
    """
    return with_depth(photo, 16 if photo.bit_depth > 8 and 16 in DEPTHS[format_of(path, None)] else 8)


def format_of(path: Path, name: str | None) -> str:
    """Return the format to write: the one named, else the one of the suffix.

    Raises:
        UsageError: There is none.
    """
    container = name or _format_by_suffix(path)
    if container not in DEPTHS:
        raise UsageError(f"{name or path}: names no format for photos. Use one of {', '.join(DEPTHS)}.")
    return container


def suffix_like(source: Path) -> str:
    """Return the suffix of a photo that is made of a file: its own, or that of a usual format where none is written."""
    if _format_by_suffix(source):
        return source.suffix
    return FORMATS["tiff" if source.suffix.lower() in FORMATS["raw"].suffixes else "jpeg"].suffixes[0]


def checked_format(path: Path, name: str | None, photo: Photo) -> str:
    """Return the format to write; see `format_of`.

    Raises:
        UsageError: There is none, or it does not hold the photo's depth.
    """
    container = format_of(path, name)
    if photo.bit_depth not in DEPTHS[container] or photo.codes.dtype == np.float32:
        raise UsageError(f"{path}: {FORMATS[container].title} holds no {photo.bit_depth} bits. Reduce the depth first.")
    return container


def _format_by_suffix(path: Path) -> str:
    return next((key for key in DEPTHS if path.suffix.lower() in FORMATS[key].suffixes), "")


def write(path: Path, photo: Photo, container: str) -> None:
    """Write a photo as one of `DEPTHS`."""
    if container == "jpeg" and photo.original is not None:
        path.write_bytes(photo.original)
        return
    if photo.metadata.xmp is not None:  # a gain map stays behind
        xmp = without_directory(photo.metadata.xmp)
        photo = dataclasses.replace(photo, metadata=dataclasses.replace(photo.metadata, xmp=xmp))
    match container:
        case "jpeg":
            path.write_bytes(jpeg_bytes(photo, _QUALITY))
        case "png":
            path.write_bytes(_png_bytes(photo))
        case "webp":
            Image.fromarray(photo.codes).save(path, "WEBP", quality=_QUALITY, **_blocks(photo))
        case "tiff":
            tiff_file.write(path, photo.codes, photo.metadata, icc_of(photo))


def jpeg_bytes(photo: Photo, quality: int) -> bytes:
    """Return an 8-bit photo as JPEG without colour subsampling, with as much of its metadata as JPEG holds."""
    stream = BytesIO()
    photo = dataclasses.replace(photo, metadata=fitted(photo.metadata)[0])
    Image.fromarray(photo.codes).save(stream, "JPEG", quality=quality, subsampling=0, **_blocks(photo))
    return stream.getvalue()


def icc_of(photo: Photo) -> bytes | None:
    """Return the ICC profile that says what a photo's codes mean.

    None for plain sRGB, which needs none unless EXIF, about the photo before it was converted, says otherwise.

    Raises:
        UsageError: PQ, HLG or a tabulated curve without a profile, which no SDR file can name.
    """
    is_srgb = photo.encoding == Encoding(known=photo.encoding.known)
    if photo.metadata.icc is not None or (is_srgb and exif.color_space(photo.metadata.exif) in {"srgb", None}):
        return photo.metadata.icc
    return profile_for(photo.encoding)


def _blocks(photo: Photo) -> dict[str, bytes]:
    """Return the metadata as Pillow's options."""
    metadata = photo.metadata
    blocks = {
        "exif": b"Exif\0\0" + metadata.exif if metadata.exif else None,
        "xmp": metadata.xmp,
        "icc_profile": icc_of(photo),
    }
    return {name: block for name, block in blocks.items() if block}


def _png_bytes(photo: Photo) -> bytes:
    import imagecodecs

    encoded = bytes(imagecodecs.png_encode(np.ascontiguousarray(photo.codes), level=3))
    icc = icc_of(photo)
    colours = (b"iCCP", b"ICC\0\0" + zlib.compress(icc)) if icc else (b"sRGB", b"\0")
    return with_chunks(encoded, [colours], photo.metadata)
