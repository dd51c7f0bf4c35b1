"""JPEG codes as the file holds them: decoders round them to 8 bits when they turn YCbCr into RGB."""

from __future__ import annotations

import dataclasses
from io import BytesIO

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from headroom.colour.strips import strips
from headroom.image import Photo
from headroom.io import assemble, orientation, profile

# ITU-T T.871, 7: from Y, Cb - 128 and Cr - 128 to R, G and B.
_TO_RGB = np.array([[1, 0, 1.402], [1, -0.114 * 1.772 / 0.587, -0.299 * 1.402 / 0.587], [1, 1.772, 0]], np.float32).T
_SCALE = np.float32(65_535 / 255)


def unrounded(photo: Photo) -> Photo:
    """Return a colour JPEG photo with 16-bit codes instead of its 8-bit ones, half a code nearer to the file.

    A gain multiplies the light of a code, and with it the rounding of that code. Any other photo is returned as it is.
    """
    if photo.original is None or photo.codes.dtype != np.uint8:
        return photo
    image = JpegImageFile(BytesIO(photo.original))
    image.draft("YCbCr", None)
    # Grey, or RGB stored as such, was not rounded; the photo's codes may be those of another profile than the file's.
    if image.mode != "YCbCr" or profile.needs_conversion(assemble.blocks_of(image)):
        return photo
    stored = np.asarray(image)
    codes = np.empty(stored.shape, np.uint16)
    centre = np.array([0, 128, 128], np.float32)
    for rows in strips(stored.shape):
        codes[rows] = np.rint(np.clip((stored[rows] - centre) @ _TO_RGB, 0, 255) * _SCALE)
    return dataclasses.replace(photo, codes=orientation.apply(codes, photo.orientation), bit_depth=16)
