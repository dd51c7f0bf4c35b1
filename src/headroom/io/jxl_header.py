"""The parts of a JPEG XL file that matter before it is decoded: size and metadata (ISO/IEC 18181-1 and -2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headroom.errors import CorruptFile
from headroom.image import Metadata
from headroom.io import isobmff
from headroom.limits import LIMITS

_CODESTREAM = b"\xff\x0a"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # width to height, by number less one
_SIZE_BITS = (9, 13, 18, 30)
_HEADER_BYTES = 32


@dataclass(slots=True)
class _Bits:
    """Bits of a number from the lowest on."""

    value: int

    def take(self, count: int) -> int:
        """Return the next bits as a number."""
        taken = self.value & ((1 << count) - 1)
        self.value >>= count
        return taken


def size(path: Path, content: bytes) -> tuple[int, int]:
    """Return width and height of the picture as its codestream states them (ISO/IEC 18181-1, SizeHeader).

    Raises:
        CorruptFile: There is no codestream.
    """
    start = _codestream_start(content)
    if not start.startswith(_CODESTREAM) or len(start) < 4:
        raise CorruptFile(f"{path}: the JPEG XL header is damaged. Copy or download it again.")
    return _size(_Bits(int.from_bytes(start[2:], "little")))


def is_lossless(content: bytes) -> bool:
    """Return True when the picture is stored in its own colours, not in XYB, and was no JPEG before.

    A file with an alpha channel, a preview or an animation may be either and counts as lossy (ISO/IEC 18181-1,
    ImageMetadata).
    """
    bits = _Bits(int.from_bytes(_codestream_start(content)[2:], "little"))
    _size(bits)
    if bits.take(1):  # all is as usual, XYB included
        return False
    if bits.take(1):
        bits.take(3)  # orientation
        if bits.take(3):
            return False
    is_float = bits.take(1)
    if bits.take(2) == 3:
        bits.take(6)  # an unusual depth
    bits.take(5 if is_float else 1)  # bits of the exponent of floats, and whether 16 bits are enough for decoding
    has_extra_channels = bits.take(2)
    return not has_extra_channels and not bits.take(1) and not _was_jpeg(content)


def _was_jpeg(content: bytes) -> bool:
    """Return True when a box holds what is needed to make the former JPEG file again."""
    if content.startswith(_CODESTREAM):
        return False
    return any(kind == b"jbrd" for kind, _ in isobmff.boxes(memoryview(content)))


def _size(bits: _Bits) -> tuple[int, int]:
    is_small = bits.take(1)
    height = _side(bits, is_small)
    ratio = bits.take(3)
    if ratio == 0:
        return _side(bits, is_small), height
    wide, high = _RATIOS[ratio - 1]
    return height * wide // high, height


def metadata(content: bytes) -> Metadata:
    """Return the EXIF block and the XMP packet of the boxes, compressed ones included; without ICC profile."""
    found: dict[bytes, bytes] = {}
    if not content.startswith(_CODESTREAM):
        for kind, body in isobmff.boxes(memoryview(content)):
            if kind in {b"Exif", b"xml "}:
                found.setdefault(kind, bytes(body[: LIMITS.metadata_bytes + 1]))
            elif kind == b"brob" and bytes(body[:4]) in {b"Exif", b"xml "}:
                found.setdefault(bytes(body[:4]), _inflate(body[4:]))
    exif = found.get(b"Exif", b"")
    return Metadata(exif=exif[4 + int.from_bytes(exif[:4], "big") :] or None, xmp=found.get(b"xml ") or None)


def _codestream_start(content: bytes) -> bytes:
    if content.startswith(_CODESTREAM):
        return content[:_HEADER_BYTES]
    for kind, body in isobmff.boxes(memoryview(content)):
        if kind in {b"jxlc", b"jxlp"}:
            skipped = 4 if kind == b"jxlp" else 0  # the part's number
            return bytes(body[skipped : skipped + _HEADER_BYTES])
    return b""


def _side(bits: _Bits, is_small: int) -> int:
    return 8 * (bits.take(5) + 1) if is_small else bits.take(_SIZE_BITS[bits.take(2)]) + 1


def _inflate(compressed: memoryview) -> bytes:
    """Decompress at most one byte more than the limit; what is damaged becomes empty."""
    import imagecodecs

    try:
        return bytes(imagecodecs.brotli_decode(bytes(compressed), out=LIMITS.metadata_bytes + 1))
    except imagecodecs.BrotliError:
        return b""
