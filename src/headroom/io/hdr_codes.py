"""HDR images as integer codes of PQ or HLG, with the numbers that containers state about them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headroom.colour import transfer
from headroom.colour.cicp import PRIMARIES_CODES, TRANSFER_CODES
from headroom.colour.primaries import convert
from headroom.colour.strips import strips
from headroom.errors import UsageError
from headroom.image import SDR_WHITE_NITS, Encoding, Hdr, Primaries
from headroom.io.options import WriteOptions

PEAK_NITS = {"pq": 10_000.0, "hlg": 1_000.0}
"""Light of the last code, in cd/m2."""


@dataclass(frozen=True, slots=True)
class HdrCodes:
    """An HDR image ready for a container of integers.

    Attributes:
        codes: H x W x 3 uint16, 0 to 2 ** bit_depth - 1.
        bit_depth: Significant bits of a code.
        primaries: Those of the image, or BT.2020 where H.273 has no number for them.
        transfer: "pq" or "hlg".
        max_cll_nits: Largest of any component of any pixel (CTA-861.3, MaxCLL), in cd/m2.
        max_fall_nits: Mean over the pixels of their largest component (MaxFALL), in cd/m2.
    """

    codes: NDArray[np.uint16]
    bit_depth: int
    primaries: Primaries
    transfer: Literal["pq", "hlg"]
    max_cll_nits: float
    max_fall_nits: float

    @property
    def cicp(self) -> tuple[int, int]:
        """Code points of primaries and transfer characteristics (ITU-T H.273)."""
        return PRIMARIES_CODES[self.primaries], TRANSFER_CODES[self.transfer]


def hdr_codes(hdr: Hdr, curve: Literal["pq", "hlg"], bit_depth: int) -> HdrCodes:
    """Return the codes of an HDR image; light beyond the curve's end gets its last code."""
    hdr = in_cicp_primaries(hdr)
    codes = np.empty(hdr.pixels.shape, np.uint16)
    top, peak = 2**bit_depth - 1, PEAK_NITS[curve] / SDR_WHITE_NITS
    for rows in strips(codes.shape):
        light = np.clip(hdr.pixels[rows], 0, peak)
        codes[rows] = np.rint(top * np.clip(transfer.encode(light, curve), 0, 1))
    return HdrCodes(codes, bit_depth, hdr.primaries, curve, *_light_levels(codes, curve, bit_depth))


def _light_levels(codes: NDArray[np.uint16], curve: Literal["pq", "hlg"], bit_depth: int) -> tuple[float, float]:
    """Return MaxCLL and MaxFALL of what readers will see: the light of the codes, not of what was rounded to them."""
    code_values = np.arange(2**bit_depth) / (2**bit_depth - 1)
    pq_light = transfer.decode(code_values, "pq")
    largest, total = 0.0, 0.0
    for rows in strips(codes.shape):
        if curve == "pq":
            brightest = pq_light[codes[rows].max(axis=-1)]
        else:  # which couples the channels
            brightest = transfer.decode(code_values[codes[rows]], "hlg").max(axis=-1)
        largest, total = max(largest, float(brightest.max())), total + float(brightest.sum(dtype=np.float64))
    height, width = codes.shape[:2]
    most = PEAK_NITS[curve]  # which rounding could pass
    max_cll, max_fall = largest * SDR_WHITE_NITS, total / (width * height) * SDR_WHITE_NITS
    return min(max_cll, most), min(max_fall, most)


def in_cicp_primaries(hdr: Hdr) -> Hdr:
    """Return the image itself where H.273 has a number for its primaries, else the image in the wider BT.2020."""
    if hdr.primaries in PRIMARIES_CODES:
        return hdr
    pixels = np.maximum(convert(hdr.pixels, hdr.primaries, "bt2020"), 0)
    return dataclasses.replace(hdr, pixels=pixels, primaries="bt2020")


def curve_of(path: Path, options: WriteOptions) -> Literal["pq", "hlg"]:
    """Return the curve to write integers in; PQ where none is asked for.

    Raises:
        UsageError: Linear light, which 16 bits cannot hold.
    """
    if options.transfer == "linear":
        raise UsageError(f"{path}: linear light needs a format of floats, such as OpenEXR. Choose pq or hlg here.")
    return options.transfer or "pq"


def kind_of(encoding: Encoding) -> Literal["photo", "hdr"]:
    """Return what codes of this encoding are: PQ and HLG say how bright each pixel is, all others are a photo's."""
    return "hdr" if encoding.transfer in {"pq", "hlg"} else "photo"
