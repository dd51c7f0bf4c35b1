"""The records that travel through Headroom: photos in, HDR images out.

Arrays inside these records are not copied and must not be changed in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatImage = NDArray[np.float32]
"""H x W x 3 (or H x W for masks), float32."""

Primaries = Literal["bt709", "p3", "bt2020", "adobe-rgb", "prophoto"]
"""RGB primaries with a D65 white; see `headroom.colour.primaries`."""

TransferName = Literal["srgb", "bt709", "gamma22", "gamma18", "adobe-rgb", "linear", "pq", "hlg"]
"""Curves with a closed form; see `headroom.colour.transfer`."""

GainMapStandard = Literal["iso", "hdrgm", "apple"]
"""Whose numbers a file gives with its gain map: ISO 21496-1, the XMP of Adobe and Google, or Apple's own."""

SDR_WHITE_NITS = 203.0
"""Luminance of SDR diffuse white (ITU-R BT.2408), the 1.0 of every `Hdr`, in cd/m2."""


@dataclass(frozen=True, slots=True)
class Metadata:
    r"""What a container says about the picture, as raw blocks without their container's framing.

    Attributes:
        exif: TIFF-structured EXIF block without the `Exif\0\0` prefix; orientation is already 1.
        xmp: XMP packet.
        icc: ICC profile.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None


@dataclass(frozen=True, slots=True)
class Encoding:
    """How code values become light.

    Attributes:
        primaries: RGB primaries of the light, and of the codes unless a sensor's matrix leads from them to these.
        transfer: Name of the curve, or None for a tabulated one.
        table: Tabulated curve, N or N x 3 float32: linear light at N equally spaced codes from 0 to 1.
        known: True when metadata or the format name the curve; False when it has to be assumed or estimated.
        sensor_matrix: For codes of a camera's sensor, the 3 x 3 matrix, by rows, from their decoded channels to light.
    """

    primaries: Primaries = "bt709"
    transfer: TransferName | None = "srgb"
    table: NDArray[np.float32] | None = None
    known: bool = True
    sensor_matrix: tuple[tuple[float, float, float], ...] | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """An upright photograph as its file holds it.

    Attributes:
        codes: H x W x 3, uint8 or uint16 code values or float32 in [0, 1]; RGB, still in the file's own curve. Of
            camera RAW, the channels of its sensor, 1 = where each of them clips.
        bit_depth: Significant bits of a code: 8, 10, 12 or 16; 32 for float.
        encoding: Curve and primaries of the codes.
        lossy_step: Largest error that the file's compression is expected to leave on a code, in units of one code;
            0 for lossless files. Codes this close to the top may be clipped ones.
        metadata: EXIF, XMP and ICC blocks.
        source: File it came from.
        container: Format name, such as "jpeg".
        original: The file's bytes, kept for JPEG so that a gain-map JPEG can carry them on unchanged.
        orientation: EXIF orientation (1 to 8) of the file's stored raster; `codes` are already upright.
        gain_map: The file's own gain map, upright like `codes`; it may be smaller.
        gain_map_problem: Why the gain map that the file carries cannot be used, if that is so.
        left_out: What the file holds besides, such as alpha and further pictures, which was not read.
    """

    codes: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
    bit_depth: int
    encoding: Encoding = Encoding()
    lossy_step: float = 0.0
    metadata: Metadata = Metadata()
    source: Path | None = None
    container: str = "array"
    original: bytes | None = None
    orientation: int = 1
    gain_map: GainMap | None = None
    gain_map_problem: str | None = None
    left_out: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.codes.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.codes.shape[1])

    @property
    def top_code(self) -> float:
        """Code value of full scale."""
        return 1.0 if self.codes.dtype == np.float32 else float(2**self.bit_depth - 1)


@dataclass(frozen=True, slots=True)
class Hdr:
    """A scene in linear light.

    Attributes:
        pixels: H x W x 3 float32, linear, 1.0 = SDR diffuse white (203 cd/m2), finite and >= 0.
        primaries: RGB primaries of the pixels.
        recovered: H x W float32 in [0, 1]: 0 where the camera measured the pixel, 1 where it was filled in.
            None where nothing is known about it, as for a file that someone else made.
        photo: The photo it was made from, for writers that carry it on.
        metadata: EXIF, XMP and ICC blocks to carry over.
        provenance: Method, weights hash, version and options, as JSON-ready values.
        source: File it came from.
        repaired_values: How many values of the file were no light (NaN, infinite or below 0) and were replaced.
        left_out: Channels of the file besides those of the picture, such as alpha and depth, which were not read.
    """

    pixels: FloatImage
    primaries: Primaries = "bt709"
    recovered: FloatImage | None = None
    photo: Photo | None = None
    metadata: Metadata = Metadata()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    source: Path | None = None
    repaired_values: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True)
class Bracket:
    """Photos of one scene at several exposures.

    Attributes:
        frames: Two or more photos of equal size, in any order.
        exposures_ev: Exposure of each frame in EV, None for one that is not known; only differences matter.
        reference: Index of the frame whose framing and brightness the result has; None leaves the choice to the merge.
        encoding: Curve of all frames, where the user knows better than the files; None for the files' own.
    """

    frames: tuple[Photo, ...]
    exposures_ev: tuple[float | None, ...]
    reference: int | None = None
    encoding: Encoding | None = None


@dataclass(frozen=True, slots=True)
class GainMap:
    """A gain map with the numbers of ISO 21496-1; log2 values throughout.

    Attributes:
        codes: h x w (one channel) or h x w x 3 uint8; may be smaller than the base image.
        minimum: log2 gain at code 0, per channel.
        maximum: log2 gain at code 255, per channel.
        gamma: Exponent applied on encoding, per channel.
        base_offset: Added to the base image before the gain, linear, per channel.
        alternate_offset: Subtracted after the gain, linear, per channel.
        base_headroom: log2 of the display headroom up to which the base is shown unchanged.
        alternate_headroom: log2 of the display headroom from which the gain applies fully.
        standard: Whose numbers these were.
        base_primaries: RGB primaries of the base image.
        gain_primaries: RGB primaries of the light that the gain multiplies; None for those of the base image.
    """

    codes: NDArray[np.uint8]
    minimum: tuple[float, float, float] = (0.0, 0.0, 0.0)
    maximum: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gamma: tuple[float, float, float] = (1.0, 1.0, 1.0)
    base_offset: tuple[float, float, float] = (1 / 64, 1 / 64, 1 / 64)
    alternate_offset: tuple[float, float, float] = (1 / 64, 1 / 64, 1 / 64)
    base_headroom: float = 0.0
    alternate_headroom: float = 1.0
    standard: GainMapStandard = "iso"
    base_primaries: Primaries = "bt709"
    gain_primaries: Primaries | None = None
