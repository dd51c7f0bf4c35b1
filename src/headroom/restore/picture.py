"""Any photo as one of 8 or 16 bits whose curve a file can name: what is repainted, and what comes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headroom.colour.exposure import display_codes, key_gain
from headroom.colour.primaries import convert
from headroom.colour.strips import strips
from headroom.colour.transfer import decode_codes
from headroom.errors import InputError
from headroom.image import FloatImage, Hdr, Photo
from headroom.io.rendering import render
from headroom.io.sdr import with_depth
from headroom.restore.srgb_like import own_codes

_SAMPLED_PX = 1_000_000
"""Pixels that tell the key of a photo."""


def as_picture(photo: Photo) -> Photo:
    """Return a photo of 8 or 16 bits: itself, deeper, or developed to sRGB where its codes are no picture.

    Raises:
        InputError: The photo is HDR.
    """
    if photo.encoding.transfer in {"pq", "hlg"}:
        raise InputError(
            f"{photo.source or 'photo'}: is HDR ({photo.encoding.transfer}), and enhance repairs SDR photos. "
            "Tone-map it first: headroom convert --tone-map filmic."
        )
    is_sensor = photo.encoding.sensor_matrix is not None
    if is_sensor or (photo.encoding.transfer is None and photo.metadata.icc is None):
        light = decode_codes(_balanced(photo) if is_sensor else photo.codes, photo.encoding, photo.bit_depth)
        hdr = Hdr(light, photo.encoding.primaries, metadata=photo.metadata, source=photo.source)
        developed = render(hdr, operator="none", bit_depth=8 if photo.bit_depth == 8 else 16)
        return replace(developed, container=photo.container)
    bare = replace(photo, original=None, orientation=1, gain_map=None, gain_map_problem=None)
    return with_depth(bare, 8 if photo.bit_depth == 8 else 16)


def well_exposed_picture(hdr: Hdr, like: Photo) -> Photo:
    """Return an HDR image as a photo that is well exposed and gently tone-mapped, in the codes of another one."""
    step = max(1, round((hdr.pixels.size / 3 / _SAMPLED_PX) ** 0.5))
    gain = np.float32(key_gain(hdr.pixels[::step, ::step], hdr.primaries))
    codes = np.empty_like(like.codes)
    for rows in strips(codes.shape):
        light = convert(hdr.pixels[rows] * gain, hdr.primaries, like.encoding.primaries)
        codes[rows] = own_codes(display_codes(light), like)
    return replace(like, codes=codes)


def _balanced(photo: Photo) -> FloatImage:
    """Clip each channel of a sensor where it clips for a grey of 1.0: blown light is white, not of the sensor's hue."""
    white = np.linalg.inv(np.array(photo.encoding.sensor_matrix)).sum(axis=1).astype(np.float32)
    balanced: FloatImage = np.minimum(np.asarray(photo.codes, np.float32), white)
    return balanced
