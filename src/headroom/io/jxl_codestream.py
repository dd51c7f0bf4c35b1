"""The first bits of a JPEG XL codestream: size, coding and brightness (ISO/IEC 18181-1, SizeHeader, ImageMetadata).

JPEG XL states its brightness as "intensity target", in cd/m2. In PQ it is a bound of the light; it is the peak of the
display that HLG is shown on, and the luminance of 1.0 in linear light, so decoders scale all light by it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

SIGNATURE = b"\xff\x0a"
HEADER_BYTES = 64
"""As many first bytes as are looked at."""

_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # width to height, by number less one
_SIZE_BITS = (9, 13, 18, 30)
_USUAL_NITS = 255.0
_RGB, _GREY = 0, 1  # numbers of enumerations
_CUSTOM = 2
_ALPHA = 0
_NO_FIELDS = (0, 6)  # upright; neither another intrinsic size nor a preview nor an animation
_END = 0b100  # no extensions, and the usual matrix of XYB


class CodestreamHeader(NamedTuple):
    """What the first bits say.

    Attributes:
        width: Columns of the picture.
        height: Rows of the picture.
        is_xyb: True for colours in XYB, which is lossy, and where this is not known.
        intensity_target_nits: As above; None where it is not known.
    """

    width: int
    height: int
    is_xyb: bool = True
    intensity_target_nits: float | None = None


def parse(codestream: bytes) -> CodestreamHeader:
    """Return what the first bits say; of animations, previews and unusual channels the size alone."""
    bits = _Bits.of(codestream)
    width, height = _size(bits)
    try:
        found = _metadata(bits)
    except ValueError:
        return CodestreamHeader(width, height)
    return CodestreamHeader(width, height, found.is_xyb, found.intensity_target_nits)


def with_intensity_target(codestream: bytes, nits: float) -> bytes:
    """Return a codestream that states another intensity target, or the next larger one that it can hold.

    Raises:
        ValueError: It is coded in a way that is not known here.
    """
    bits = _Bits.of(codestream)
    _size(bits)
    found = _metadata(bits)
    if found.has_icc or bits.take(3) != _END:
        raise ValueError("the codestream has more headers than are known")
    tone_mapping = [(0, 1), (_half(nits), 16), (0, 16), (0, 1), (0, 16)]  # no other number is other than usual
    fields = [bits.piece(found.fields_at, found.depth_at)] if found.has_fields else [_NO_FIELDS]
    pieces = [
        bits.piece(0, found.fields_at - 1),
        (1, 1),
        *fields,
        bits.piece(found.depth_at, found.tone_mapping_at),
        *tone_mapping,
        (_END, 3),
    ]
    value = length = 0
    for piece, count in pieces:
        value, length = value | piece << length, length + count
    return value.to_bytes(math.ceil(length / 8), "little") + codestream[math.ceil(bits.at / 8) :]


@dataclass(slots=True)
class _Bits:
    """Bits read one after the other, from the lowest of each byte on."""

    value: int
    at: int = 0

    @classmethod
    def of(cls, codestream: bytes) -> _Bits:
        """Start behind the signature."""
        return cls(int.from_bytes(codestream[:HEADER_BYTES], "little"), 8 * len(SIGNATURE))

    def take(self, count: int) -> int:
        """Return the next bits as a number."""
        taken, _ = self.piece(self.at, self.at + count)
        self.at += count
        return taken

    def choose(self, *ways: tuple[int, int]) -> int:
        """Return a number that is coded in one of four ways: an offset, and the count of bits to add to it."""
        offset, count = ways[self.take(2)]
        return offset + self.take(count)

    def enum(self) -> int:
        """Return a number of an enumeration."""
        return self.choose((0, 0), (1, 0), (2, 4), (18, 6))

    def piece(self, start: int, end: int) -> tuple[int, int]:
        """Return the bits from `start` to `end` as a number, and their count."""
        return (self.value >> start) & ((1 << (end - start)) - 1), end - start


class _Metadata(NamedTuple):
    """ImageMetadata: what it says, and at which bits its parts start."""

    is_xyb: bool
    has_icc: bool
    intensity_target_nits: float
    has_fields: bool
    fields_at: int
    depth_at: int
    tone_mapping_at: int


def _metadata(bits: _Bits) -> _Metadata:
    """Read ImageMetadata up to its extensions.

    Raises:
        ValueError: A preview, an animation, or channels or colours that are not known here.
    """
    if bits.take(1):
        raise ValueError("all is as usual")
    has_fields, fields_at = bool(bits.take(1)), bits.at
    if has_fields:
        bits.take(3)  # orientation
        if bits.take(1):
            _size(bits)  # intrinsic size
        if bits.take(2):
            raise ValueError("a preview or an animation")
    depth_at = bits.at
    _depth(bits)
    bits.take(1)  # whether 16 bits are enough for decoding
    for _ in range(bits.choose((0, 0), (1, 0), (2, 4), (1, 12))):
        _alpha(bits)
    is_xyb, has_icc = bool(bits.take(1)), _colours(bits)
    tone_mapping_at = bits.at
    nits = _tone_mapping(bits) if has_fields else _USUAL_NITS
    return _Metadata(is_xyb, has_icc, nits, has_fields, fields_at, depth_at, tone_mapping_at)


def _depth(bits: _Bits) -> None:
    if bits.take(1):  # floats
        bits.choose((32, 0), (16, 0), (24, 0), (1, 6))
        bits.take(4)  # bits of the exponent
    else:
        bits.choose((8, 0), (10, 0), (12, 0), (1, 6))


def _alpha(bits: _Bits) -> None:
    """Read ExtraChannelInfo."""
    if bits.take(1):  # 8 bits
        return
    if bits.enum() != _ALPHA:
        raise ValueError("another channel than alpha")
    _depth(bits)
    bits.choose((0, 0), (3, 0), (4, 0), (1, 3))  # how much smaller it is
    if bits.choose((0, 0), (0, 4), (16, 5), (48, 10)):
        raise ValueError("a channel with a name")
    bits.take(1)  # whether colours are multiplied by it


def _colours(bits: _Bits) -> bool:
    """Read ColourEncoding; return True when an ICC profile takes its place."""
    if bits.take(1):  # sRGB
        return False
    has_icc, space = bits.take(1), bits.enum()
    if has_icc:
        return True
    if space not in {_RGB, _GREY}:
        raise ValueError("another colour space")
    points = int(bits.enum() == _CUSTOM)  # the white point
    if space == _RGB and bits.enum() == _CUSTOM:
        points += 3
    for _ in range(2 * points):  # x and y
        bits.choose((0, 19), (524_288, 19), (1_048_576, 20), (2_097_152, 21))
    bits.take(24) if bits.take(1) else bits.enum()  # gamma, or the curve's name
    bits.enum()  # rendering intent
    return False


def _tone_mapping(bits: _Bits) -> float:
    """Read ToneMapping; return the intensity target."""
    if bits.take(1):
        return _USUAL_NITS
    nits = float(np.uint16(bits.take(16)).view(np.float16))
    bits.take(16 + 1 + 16)  # darkest light, and two numbers about the display
    return nits


def _size(bits: _Bits) -> tuple[int, int]:
    is_small = bits.take(1)
    height = _side(bits, is_small)
    ratio = bits.take(3)
    if ratio == 0:
        return _side(bits, is_small), height
    wide, high = _RATIOS[ratio - 1]
    return height * wide // high, height


def _side(bits: _Bits, is_small: int) -> int:
    return 8 * (bits.take(5) + 1) if is_small else bits.take(_SIZE_BITS[bits.take(2)]) + 1


def _half(nits: float) -> int:
    """Return the bits of the smallest half float that is not below `nits`; at least 1, which is needed."""
    wanted = min(max(nits, 1.0), float(np.finfo(np.float16).max))
    half = np.float16(wanted)
    return int((half if float(half) >= wanted else np.nextafter(half, np.float16(np.inf))).view(np.uint16))
