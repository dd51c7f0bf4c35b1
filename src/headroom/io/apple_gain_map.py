"""Apple's gain maps: where a photo says its headroom, and its formula turned into the log2 codes of a `GainMap`.

Apple, "Applying Apple HDR effect to your photos": HDR = SDR * (1 + (headroom - 1) * gain), all in linear light, where
the gain is the map's code decoded by the BT.709 curve. Photos of iOS 18 and later hold the numbers of ISO 21496-1 too.
"""

from __future__ import annotations

import math
import re
import struct

import numpy as np
from numpy.typing import NDArray

from headroom.colour.transfer import decode
from headroom.errors import CorruptFile
from headroom.image import GainMap
from headroom.io import exif

_AUXILIARY_TYPE = b"urn:com:apple:photo:2020:aux:hdrgainmap"
_STATED_HEADROOM = re.compile(rb"""HDRGainMap:HDRGainMapHeadroom(?:\s*=\s*["']|>)\s*([0-9.]{1,32})""")
_EXIF_DIRECTORY, _MAKER_NOTE = 0x8769, 0x927C
_MAKER = b"Apple iOS\0"
_MAKER_DIRECTORY = 14  # after the name, a version and the byte order
_HDR_HEADROOM, _HDR_GAIN = 33, 48
_SIGNED_RATIO = 10
_LEAST_STOPS = 2**-10  # for maps that add nothing; a headroom of 0 stops divides by 0
_MOST_STOPS = 16.0


def is_apple_xmp(packet: bytes) -> bool:
    """Return True for the packet of an Apple gain-map image."""
    return _AUXILIARY_TYPE in packet and b"HDRGainMapVersion" in packet


def from_apple(packet: bytes, photo_exif: bytes | None, codes: NDArray[np.uint8]) -> GainMap:
    """Return the gain map of these codes.

    The headroom is that of the packet, as newer phones write it, else that of the maker note. The new codes are off by
    at most half of one, as they are rounded.

    Args:
        packet: XMP of the gain-map image.
        photo_exif: EXIF block of the photo itself.
        codes: Codes as the file holds them.

    Raises:
        CorruptFile: Neither place states a headroom, or it is impossible.
    """
    stops = _stated_stops(packet)
    if stops is None:
        stops = _maker_note_stops(photo_exif)
    if stops is None or not 0 <= stops <= _MOST_STOPS:
        raise CorruptFile("The Apple gain map comes without a possible headroom. Export the photo again from its app.")
    stops = max(stops, _LEAST_STOPS)
    share = decode(np.arange(256, dtype=np.float32) / 255, "bt709")
    table = np.rint(np.log2(1 + (2**stops - 1) * share) * (255 / stops)).astype(np.uint8)
    zero = (0.0, 0.0, 0.0)
    return GainMap(
        table[codes],
        minimum=zero,
        maximum=(stops, stops, stops),
        base_offset=zero,
        alternate_offset=zero,
        alternate_headroom=stops,
        standard="apple",
    )


def _stated_stops(packet: bytes) -> float | None:
    found = _STATED_HEADROOM.search(packet)
    try:
        return math.log2(float(found[1])) if found else None
    except ValueError:
        return math.nan  # no number, or not above 0


def _maker_note_stops(photo_exif: bytes | None) -> float | None:
    """Return the stops that Apple's page derives from two numbers of the maker note.

    Many photos state the first one alone; then the gain counts as 0, as it does in Skia.
    """
    note = exif.undefined(photo_exif, _EXIF_DIRECTORY, _MAKER_NOTE) or b""
    headroom, gain = _maker_number(note, _HDR_HEADROOM), _maker_number(note, _HDR_GAIN) or 0.0
    if headroom is None:
        return None
    if headroom < 1:
        stops = 1.8 - 20 * gain if gain <= 0.01 else 1.601 - 0.101 * gain
    else:
        stops = 3 - 70 * gain if gain <= 0.01 else 2.303 - 0.303 * gain
    return max(stops, 0.0)


def _maker_number(note: bytes, tag: int) -> float | None:
    """Return a number of an Apple maker note, whose offsets count from its own start."""
    if not note.startswith(_MAKER):
        return None
    order = "<" if note[_MAKER_DIRECTORY - 2 : _MAKER_DIRECTORY] == b"II" else ">"
    try:
        (count,) = struct.unpack_from(order + "H", note, _MAKER_DIRECTORY)
        for entry in range(count):
            name, kind, _, at = struct.unpack_from(order + "HHII", note, _MAKER_DIRECTORY + 2 + 12 * entry)
            if (name, kind) == (tag, _SIGNED_RATIO):
                numerator, denominator = struct.unpack_from(order + "ii", note, at)
                return float(numerator / denominator)
    except (struct.error, ZeroDivisionError):
        pass
    return None
