"""Gain-map JPEG: the photo that everyone sees, and what makes it HDR where the screen can show that."""

from __future__ import annotations

import dataclasses
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from headroom.colour import transfer
from headroom.colour.gain_map import encode_gain_map
from headroom.colour.icc import profile_for
from headroom.colour.primaries import convert
from headroom.colour.strips import strips
from headroom.errors import UsageError
from headroom.image import Encoding, Hdr, Metadata, Photo
from headroom.io import orientation
from headroom.io.gain_map_jpeg import gain_map_jpeg
from headroom.io.options import WriteOptions
from headroom.io.preview import rendition

_FOR_SCREENS = {"srgb", "bt709", "gamma22", "gamma18", "adobe-rgb"}  # curves that suit 8 bits
_JPEG_SEGMENT_BYTES = 65_533


def write(path: Path, hdr: Hdr, options: WriteOptions) -> None:
    """Write the photo behind an HDR image with a gain map.

    The bytes of a JPEG photo stay as they are. Its gain map is turned into the raster that the photo is stored in, so
    that the EXIF orientation, which stays too, applies to both. Any other photo is encoded anew in its own colours,
    with EXIF and ICC; an HDR image without a photo gets a tone-mapped one.

    Raises:
        UsageError: The photo has another size than the HDR image.
    """
    photo = _base_photo(hdr)
    if photo.codes.shape != hdr.pixels.shape:
        raise UsageError(
            f"A gain-map JPEG needs a photo of {hdr.width} x {hdr.height} pixels like its HDR image, "
            f"not of {photo.width} x {photo.height}. Resize one of them."
        )
    primaries = photo.encoding.primaries
    gain_map = encode_gain_map(
        transfer.decode_codes(photo.codes, photo.encoding, photo.bit_depth),
        convert(hdr.pixels, hdr.primaries, primaries),
        scale=options.gain_map_scale,
        channels=options.gain_map_channels,
        primaries=primaries,
    )
    base = photo.original
    if base is None:
        base = _encoded(photo, options.base_quality)
    else:
        gain_map = dataclasses.replace(gain_map, codes=orientation.undo(gain_map.codes, photo.orientation))
    path.write_bytes(gain_map_jpeg(base, gain_map))


def _base_photo(hdr: Hdr) -> Photo:
    """Return the JPEG photo as it is, another photo in 8 bits, or a rendition where there is none that suits."""
    photo = hdr.photo
    if photo is not None and photo.original is not None:
        return photo
    if photo is not None and (photo.encoding.transfer in _FOR_SCREENS or photo.metadata.icc is not None):
        return _eight_bits(photo)
    source = (
        Hdr(transfer.decode_codes(photo.codes, photo.encoding, photo.bit_depth), photo.encoding.primaries)
        if photo
        else hdr
    )
    return Photo(rendition(source), 8, metadata=Metadata(exif=hdr.metadata.exif))


def _eight_bits(photo: Photo) -> Photo:
    if photo.codes.dtype == np.uint8:
        return photo
    codes = np.empty(photo.codes.shape, np.uint8)
    for rows in strips(codes.shape):
        codes[rows] = np.rint(photo.codes[rows] * np.float32(255 / photo.top_code))
    return dataclasses.replace(photo, codes=codes, bit_depth=8)


def _encoded(photo: Photo, quality: int) -> bytes:
    """Return the photo as JPEG without colour subsampling; an EXIF block larger than JPEG can hold is left out."""
    block = b"Exif\0\0" + photo.metadata.exif if photo.metadata.exif else b""
    icc = photo.metadata.icc
    if icc is None and photo.encoding != Encoding(known=photo.encoding.known):
        icc = profile_for(photo.encoding)
    buffer = BytesIO()
    Image.fromarray(photo.codes).save(
        buffer,
        "JPEG",
        quality=quality,
        subsampling=0,
        exif=block if len(block) <= _JPEG_SEGMENT_BYTES else b"",
        icc_profile=icc,
    )
    return buffer.getvalue()
