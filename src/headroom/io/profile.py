"""From what metadata say about colour to an `Encoding`."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from headroom.colour.icc import encoding_from_profile
from headroom.image import Encoding, Metadata
from headroom.io import exif

_Codes = TypeVar("_Codes", NDArray[np.uint8], NDArray[np.uint16])

_RELATIVE_COLORIMETRIC = 1
_named_encoding = lru_cache(maxsize=8)(encoding_from_profile)  # photos of one folder share a profile


def encoding_of(metadata: Metadata) -> Encoding:
    """Return the encoding that an ICC profile or EXIF names; sRGB, not known, where neither does.

    A profile that is more than curves and known primaries counts as the sRGB that `to_srgb` turns its codes into; a
    damaged one as sRGB that is not known.
    """
    if metadata.icc is not None:
        return _named_encoding(metadata.icc) or Encoding(
            known=to_srgb(np.zeros((1, 1, 3), np.uint8), metadata.icc) is not None
        )
    match exif.color_space(metadata.exif):
        case "srgb":
            return Encoding()
        case "adobe-rgb":
            return Encoding("adobe-rgb", "adobe-rgb")
        case None:
            return Encoding(known=False)


def needs_conversion(metadata: Metadata) -> bool:
    """Return True when the ICC profile has no closed form, so that `to_srgb` has to apply it."""
    return metadata.icc is not None and _named_encoding(metadata.icc) is None


def to_srgb(codes: _Codes, icc: bytes) -> _Codes | None:
    """Convert H x W x 3 codes from a profile to sRGB by LittleCMS; None when the profile is damaged.

    A profile for grey, which only grey pictures have, takes the first of three equal channels.
    """
    import imagecodecs

    target = imagecodecs.cms_profile("srgb")
    space = "gray" if icc[16:20] == b"GRAY" else "rgb"
    source = np.ascontiguousarray(codes[..., 0]) if space == "gray" else codes
    # Its shortcut for 16 bits, a grid of colours, is up to 20 8-bit codes off beside black.
    flags = imagecodecs.CMS.FLAGS.NOOPTIMIZE if codes.dtype == np.uint16 else 0
    try:
        converted: _Codes = imagecodecs.cms_transform(
            source, icc, target, colorspace=space, outcolorspace="rgb", intent=_RELATIVE_COLORIMETRIC, flags=flags
        )
    except imagecodecs.CmsError:
        return None
    return converted
