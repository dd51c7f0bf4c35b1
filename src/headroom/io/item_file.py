"""Items of an ISO base media file: pictures and metadata with a number each (ISO/IEC 14496-12, 8.11; 23008-12, 9.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from headroom.io.isobmff import MOST_BOXES, Box, Numbers, boxes, find
from headroom.limits import LIMITS


class Item(NamedTuple):
    """An item: its number, its four-letter kind, and its name and content type, each closed by a zero."""

    number: int
    kind: bytes
    names: bytes


class Reference(NamedTuple):
    """What the item `source` refers to, and as what."""

    kind: bytes
    source: int
    to: list[int]


@dataclass(frozen=True, slots=True)
class ItemFile:
    """A file whose `meta` box lists items.

    Its methods raise one of `isobmff.DAMAGE` where a box is missing or damaged.

    Attributes:
        content: All of the file.
        meta: Body of the `meta` box behind its version and flags.
    """

    content: bytes
    meta: memoryview

    @classmethod
    def of(cls, content: bytes) -> ItemFile:
        """Find the `meta` box; KeyError where there is none."""
        return cls(content, find(memoryview(content), b"meta")[4:])

    @property
    def primary(self) -> int:
        """Number of the item that is the picture."""
        pitm = find(self.meta, b"pitm")
        return Numbers(pitm, 4).take(4 if pitm[0] else 2)

    def items(self) -> Iterator[Item]:
        """Yield every item (ISO/IEC 14496-12, 8.11.6)."""
        iinf = find(self.meta, b"iinf")
        for kind, body in boxes(iinf[8 if iinf[0] else 6 :]):
            if kind == b"infe" and body[0] >= 2:
                numbers = Numbers(body, 4)
                item, _protection = numbers.take(4 if body[0] > 2 else 2), numbers.take(2)
                yield Item(item, bytes(body[numbers.at : numbers.at + 4]), bytes(body[numbers.at + 4 :]))

    def references(self) -> Iterator[Reference]:
        """Yield what refers to what (ISO/IEC 14496-12, 8.11.12)."""
        for iref in (box.body for box in boxes(self.meta) if box.kind == b"iref"):
            size = 4 if iref[0] else 2
            for kind, body in boxes(iref[4:]):
                numbers = Numbers(body, 0)
                item = numbers.take(size)
                yield Reference(kind, item, [numbers.take(size) for _ in range(numbers.take(2))])

    def properties(self, item: int) -> list[Box]:
        """Return the properties that `ipma` gives an item, in its order (ISO/IEC 23008-12, 9.3)."""
        shared = list(boxes(find(self.meta, b"iprp", b"ipco")))
        ipma = find(self.meta, b"iprp", b"ipma")
        index_size = 1 + (ipma[3] & 1)
        numbers = Numbers(ipma, 4)
        for _ in range(min(numbers.take(4), MOST_BOXES)):
            found = numbers.take(4 if ipma[0] else 2)
            indices = [numbers.take(index_size) & (0x7FFF if index_size == 2 else 0x7F) for _ in range(numbers.take(1))]
            if found == item:
                return [shared[index - 1] for index in indices if 0 < index <= len(shared)]
        raise KeyError(item)

    def data(self, item: int, most: int = LIMITS.file_bytes) -> bytes:
        """Return what an item holds, as far as it lies in the file, cut at `most` bytes; nothing for an unknown one."""
        is_inside_meta, extents = self._extents(item)
        source = find(self.meta, b"idat") if is_inside_meta else memoryview(self.content)
        data = bytearray()
        for start, size in extents:
            data += source[start : start + min(size or most, most - len(data))]
        return bytes(data)

    def with_primary(self, item: int) -> bytes:
        """Return the file with another item as its picture, which then is no longer auxiliary to the one that was."""
        changed = self.content
        for iref in (box.body for box in boxes(self.meta) if box.kind == b"iref"):
            for kind, body in boxes(iref[4:]):
                if kind == b"auxl" and Numbers(body, 0).take(4 if iref[0] else 2) == item:
                    changed = changed.replace(kind + bytes(body), b"skip" + bytes(body), 1)
        editable = bytearray(changed)
        pitm = find(find(memoryview(editable), b"meta")[4:], b"pitm")
        size = 4 if pitm[0] else 2
        pitm[4 : 4 + size] = item.to_bytes(size, "big")
        return bytes(editable)

    def _extents(self, item: int) -> tuple[bool, list[tuple[int, int]]]:
        """Return whether an item lies in `idat` instead of anywhere in the file, and the start and size of its parts.

        ISO/IEC 14496-12, 8.11.3; a size of 0 means all that follows.
        """
        iloc = find(self.meta, b"iloc")
        version = iloc[0]
        offset_size, length_size, base_size = iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4
        index_size = iloc[5] & 15 if version else 0
        numbers = Numbers(iloc, 6)
        for _ in range(min(numbers.take(4 if version == 2 else 2), MOST_BOXES)):
            found = numbers.take(4 if version == 2 else 2)
            method = numbers.take(2) & 15 if version else 0
            _reference, base = numbers.take(2), numbers.take(base_size)
            extents = []
            for _ in range(numbers.take(2)):
                numbers.take(index_size)
                extents.append((base + numbers.take(offset_size), numbers.take(length_size)))
            if found == item:
                return method == 1, extents
        return False, []
