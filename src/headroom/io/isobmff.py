"""Boxes, of which ISO base media files and JPEG XL files are made (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MOST_BOXES = 4096  # of one parent; the tiles of the largest photos are a few hundred items

DAMAGE = (struct.error, KeyError, IndexError, ValueError)
"""What the functions here raise on damaged files, and reading numbers from boxes that are too short."""


class Box(NamedTuple):
    """A box: its four-letter kind and what it holds."""

    kind: bytes
    body: memoryview


@dataclass(slots=True)
class Numbers:
    """Big-endian numbers read one after the other."""

    source: memoryview
    at: int

    def take(self, size: int) -> int:
        """Return the next number of this many bytes; ValueError where the box ends before it does."""
        end = self.at + size
        if end > len(self.source):
            raise ValueError("a box breaks off")
        value = int.from_bytes(self.source[self.at : end], "big")
        self.at = end
        return value


def boxes(parent: memoryview) -> Iterator[Box]:
    """Yield the boxes inside a body, cut where it ends.

    Raises:
        ValueError: One is damaged.
    """
    at = 0
    for _ in range(MOST_BOXES):
        if at + 8 > len(parent):
            return
        size, kind = struct.unpack_from(">I4s", parent, at)
        header = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", parent, at + 8)
            header = 16
        end = at + size if size else len(parent)
        if end < at + header:
            raise ValueError("a box is smaller than its header")
        yield Box(kind, parent[at + header : end])
        at = end


def first(candidates: list[Box], kind: bytes) -> memoryview:
    """Return the body of the first box of a kind; KeyError where there is none."""
    for box in candidates:
        if box.kind == kind:
            return box.body
    raise KeyError(kind)


def find(parent: memoryview, *kinds: bytes) -> memoryview:
    """Return the body of the first box of the first kind, in it that of the next kind, and so on; else KeyError."""
    for kind in kinds:
        parent = first(list(boxes(parent)), kind)
    return parent
