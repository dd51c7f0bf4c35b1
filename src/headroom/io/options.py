"""What can be chosen when an HDR image is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Choices of all writers; each uses those that apply to it.

    Attributes:
        half: OpenEXR in 16-bit instead of 32-bit floats. Light above 65504 is clamped to that.
        recovered: Add `Hdr.recovered` to an OpenEXR file as a channel of that name.
        compress: Deflate a TIFF.
        transfer: Curve of the stored values. None is the container's usual one: linear where it holds floats, PQ in PNG
            and AVIF.
        bit_depth: Bits of an integer code, where the container leaves a choice: 10 (the default) or 12 in AVIF.
        quality: Quality of AVIF and of JPEG XL in PQ or HLG, 1 to 100; 100 is lossless. Floats always are.
        base_quality: JPEG quality of a base picture that has to be encoded anew, 1 to 100.
        gain_map_scale: Pixels of the base per pixel of the gain map, along each side. The map of a 12-megapixel photo
            takes 0.2 to 0.8 MB, at 2 a third of that. But there the gain of a lamp spills over its edge, by half a stop
            at 0.1 % of the pixels of HDR views, and readers differ in how they fill the map in.
        gain_map_channels: 1 for a gain of luminance, 3 for one of each channel.
        keep_gain_map: Write the gain map that a JPEG photo came with, for light that is that of this map still, instead
            of measuring it anew.
    """

    half: bool = True
    recovered: bool = True
    compress: bool = True
    transfer: Literal["linear", "pq", "hlg"] | None = None
    bit_depth: Literal[10, 12, 16] | None = None
    quality: int = 95
    base_quality: int = 95
    gain_map_scale: Literal[1, 2, 4] = 1
    gain_map_channels: Literal[1, 3] = 3
    keep_gain_map: bool = False
