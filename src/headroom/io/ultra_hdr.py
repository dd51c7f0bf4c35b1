"""Gain-map JPEG: the photo that everyone sees, and what makes it HDR where the screen can show that."""

from __future__ import annotations

import dataclasses
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from headroom.colour import transfer
from headroom.colour.gain_map import encode_gain_map
from headroom.colour.primaries import convert
from headroom.errors import UsageError
from headroom.image import GainMap, Hdr, Photo
from headroom.io import orientation, sdr
from headroom.io.gain_map_jpeg import gain_map_jpeg
from headroom.io.options import WriteOptions
from headroom.io.rendering import render

_FOR_SCREENS = {"srgb", "bt709", "gamma22", "gamma18", "adobe-rgb"}  # curves that suit 8 bits


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
    base = photo.original
    if base is None:
        base = sdr.jpeg_bytes(photo, options.base_quality)
        # The map starts from what a reader of the base sees, so that it makes up for what JPEG lost.
        photo = dataclasses.replace(photo, codes=np.asarray(JpegImageFile(BytesIO(base))))
    keeps_map = options.keep_gain_map and photo.original is not None
    gain_map = (photo.gain_map if keeps_map else None) or _measured(photo, hdr, options)
    if photo.original is not None:
        gain_map = dataclasses.replace(gain_map, codes=orientation.undo(gain_map.codes, photo.orientation))
    path.write_bytes(gain_map_jpeg(base, gain_map, hdr.provenance))


def _measured(photo: Photo, hdr: Hdr, options: WriteOptions) -> GainMap:
    primaries = photo.encoding.primaries
    return encode_gain_map(
        transfer.decode_codes(photo.codes, photo.encoding, photo.bit_depth),
        convert(hdr.pixels, hdr.primaries, primaries),
        scale=options.gain_map_scale,
        channels=options.gain_map_channels,
        primaries=primaries,
    )


def _base_photo(hdr: Hdr) -> Photo:
    """Return the JPEG photo as it is, another photo in 8 bits, or a rendition where there is none that suits."""
    photo = hdr.photo
    if photo is not None and photo.original is not None:
        return photo
    if photo is not None and (photo.encoding.transfer in _FOR_SCREENS or photo.metadata.icc is not None):
        return sdr.with_depth(photo, 8)
    source = hdr
    if photo is not None:
        light = transfer.decode_codes(photo.codes, photo.encoding, photo.bit_depth)
        source = Hdr(light, photo.encoding.primaries, metadata=photo.metadata)
    return render(source, primaries="bt709" if source.primaries == "bt709" else "p3")
