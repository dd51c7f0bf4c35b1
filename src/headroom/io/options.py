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
        base_quality: JPEG quality of a base picture that has to be encoded anew, 1 to 100.
        gain_map_scale: Pixels of the base per pixel of the gain map, along each side.
        gain_map_channels: 1 for a gain of luminance, 3 for one of each channel.
    """

    half: bool = True
    recovered: bool = True
    compress: bool = True
    base_quality: int = 95
    gain_map_scale: Literal[1, 2, 4] = 2
    gain_map_channels: Literal[1, 3] = 3
