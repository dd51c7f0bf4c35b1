"""EXIF blocks taken apart into directories of entries, and put together again (TIFF 6.0, 2; CIPA DC-008, 4.6).

A value stays the bytes that the camera wrote. Libraries decode and encode it anew, and then text that is not ASCII is
lost and numbers change their kind.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from headroom.limits import LIMITS

EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005
"""Tags that stand for a directory of their own."""

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
"""Kinds of values."""

# By kind: bytes of an element, and of each of its numbers.
_SIZES = {
    BYTE: (1, 1), ASCII: (1, 1), SHORT: (2, 2), LONG: (4, 4), RATIONAL: (8, 4), 6: (1, 1), UNDEFINED: (1, 1), 8: (2, 2),
    9: (4, 4), 10: (8, 4), 11: (4, 4), 12: (8, 8), 16: (8, 8), 17: (8, 8), 129: (1, 1),
}  # fmt: skip
_NUMBERS = {BYTE: "u1", SHORT: "<u2", LONG: "<u4", RATIONAL: "<u4", 8: "<i2", 9: "<i4", 10: "<i4", 11: "<f4", 12: "<f8"}
_RATIONALS = {RATIONAL, 10}
_POINTERS = {LONG, 13, 16, 18}
_MOST_ENTRIES = 4096  # cameras write a hundred
_NUMBERS_BYTES = 128  # as far as values are read
_LARGEST = 2**32 - 1

Block = bytes | mmap.mmap
"""An EXIF block or a TIFF file."""

_Inner = Mapping[int, "_Inner"]
_INNER: _Inner = {EXIF: {INTEROPERABILITY: {}}, GPS: {}}


@dataclass(frozen=True, slots=True)
class Entry:
    """The value of a tag.

    Attributes:
        kind: Type of its elements, as the standards number them.
        data: The elements, numbers in little-endian order.
    """

    kind: int
    data: bytes

    @property
    def text(self) -> str:
        """Text up to its end mark; empty for numbers."""
        return self.data.partition(b"\0")[0].decode("utf-8", "replace").strip() if self.kind in {ASCII, 129} else ""

    @property
    def numbers(self) -> list[float]:
        """The first numbers, with ratios divided; none for text, undefined bytes and impossible ratios."""
        if self.kind not in _NUMBERS:
            return []
        values = np.frombuffer(self.data[:_NUMBERS_BYTES], _NUMBERS[self.kind]).astype(np.float64)
        if self.kind not in _RATIONALS:
            return [float(value) for value in values]
        return [float(above / below) for above, below in values.reshape(-1, 2) if below]


Directory = dict[int, "Entry | Directory"]
"""By tag: a value, or a directory."""


def text_entry(text: str) -> Entry:
    """Make an entry of text."""
    return Entry(ASCII, text.encode() + b"\0")


def ratios_entry(values: Iterable[float]) -> Entry:
    """Make an entry of numbers from 0 to 2**32 - 1 as ratios."""
    numbers = []
    for value in values:
        ratio = Fraction(value).limit_denominator(max(1, min(1_000_000, int(_LARGEST / max(value, 1)))))
        numbers += [ratio.numerator, ratio.denominator]
    return Entry(RATIONAL, struct.pack(f"<{len(numbers)}I", *numbers))


def parse(block: Block) -> Directory:
    """Return the first directory of an EXIF block or a TIFF file, and in it those of EXIF and GPS.

    What is damaged is left out, and so is the directory of the thumbnail.
    """
    return _Parser(block).first() if block[:2] in {b"II", b"MM"} else {}


def block_of(directory: Directory) -> bytes:
    """Return an EXIF block of a directory."""
    return b"II*\0\x08\0\0\0" + to_bytes(directory, 8)


def to_bytes(directory: Directory, at: int) -> bytes:
    """Return a little-endian directory, its values and its inner directories, which are to stand at byte `at`."""
    entries, values, free = [], [], at + 2 + 12 * len(directory) + 4
    for tag, value in sorted(directory.items()):
        if isinstance(value, Entry):
            kind, count, data = value.kind, len(value.data) // _SIZES[value.kind][0], value.data
        else:
            kind, count, data = LONG, 1, to_bytes(value, free)
        if isinstance(value, Entry) and len(data) <= 4:
            place = data.ljust(4, b"\0")
        else:
            place = struct.pack("<I", free)
            values.append(data + bytes(len(data) % 2))  # directories and values begin at even bytes
            free += len(values[-1])
        entries.append(struct.pack("<HHI4s", tag, kind, count, place))
    return struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4) + b"".join(values)


class _Parser:
    """Reads the directories of one TIFF structure, classic or BigTIFF, within the limit for metadata."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._order = "<" if block[:2] == b"II" else ">"
        is_big = block[2:4] in {b"+\0", b"\0+"}
        self._count, self._word = ("Q", "Q") if is_big else ("H", "I")
        self._word_bytes = struct.calcsize(self._word)
        self._bytes_left = LIMITS.metadata_bytes

    def first(self) -> Directory:
        return self._directory(self._number(self._word, self._word_bytes), _INNER)

    def _number(self, form: str, at: int) -> int:
        """Return the number at a place; behind the end of the block, one that leads there too."""
        if at + struct.calcsize(form) > len(self._block):
            return len(self._block)
        return int(struct.unpack_from(self._order + form, self._block, at)[0])

    def _directory(self, start: int, inner: _Inner) -> Directory:
        count = self._number(self._count, start)
        entry_bytes = 4 + 2 * self._word_bytes  # tag and kind, number of elements, the value or where it stands
        first = start + struct.calcsize(self._count)
        end = min(first + entry_bytes * min(count, _MOST_ENTRIES), len(self._block))
        found: Directory = {}
        for at in range(first, end - entry_bytes + 1, entry_bytes):
            tag, kind = self._number("H", at), self._number("H", at + 2)
            if tag in inner and kind in _POINTERS:
                found[tag] = self._directory(self._number(self._word, at + 4 + self._word_bytes), inner[tag])
            elif tag not in inner and (entry := self._entry(at, kind)) is not None:
                found[tag] = entry
        return found

    def _entry(self, at: int, kind: int) -> Entry | None:
        """Return the entry at a place, or None for one that is damaged or of an unknown kind."""
        element_bytes, number_bytes = _SIZES.get(kind, (0, 0))
        size = self._number(self._word, at + 4) * element_bytes
        place = at + 4 + self._word_bytes
        start = place if size <= self._word_bytes else self._number(self._word, place)
        if size == 0 or size > self._bytes_left or start + size > len(self._block):
            return None
        self._bytes_left -= size
        data = self._block[start : start + size]
        if self._order == ">" and number_bytes > 1:
            data = np.frombuffer(data, f"u{number_bytes}").byteswap().tobytes()
        return Entry(kind, data)
