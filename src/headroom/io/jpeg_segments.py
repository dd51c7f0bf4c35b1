"""JPEG files as marker segments and scans, so that segments can change while the picture stays byte for byte."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from headroom.errors import CorruptFile, OutputError

APP1, APP2 = 0xE1, 0xE2
EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
ICC = b"ICC_PROFILE\0"
MULTI_PICTURE = b"MPF\0"
ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
LARGEST_PAYLOAD = 65_533

_START, _END, _FIRST_SCAN = b"\xff\xd8", 0xD9, 0xDA
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
# In a scan, a marker is 0xFF and a byte that is neither stuffing, nor a restart marker, nor fill.
_MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_FILL = re.compile(rb"\xff*")
# Far more than any camera writes: 64 KiB a segment, ten scans of a progressive picture with a table each.
_SEGMENTS_MOST = 4096
_PICTURES_MOST = 16


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker segment.

    Attributes:
        marker: Second byte of the marker.
        payload: Content after the length.
        raw: All of its bytes, fill bytes before the marker included.
    """

    marker: int
    payload: bytes
    raw: bytes

    def holds(self, marker: int, identifier: bytes) -> bool:
        """Return True for an application segment with this identifier."""
        return self.marker == marker and self.payload.startswith(identifier)


@dataclass(frozen=True, slots=True)
class Jpeg:
    """One JPEG picture.

    Attributes:
        segments: Segments between the start marker and the first scan.
        scans: Everything from the first scan's marker to the end marker, both included.
    """

    segments: tuple[Segment, ...]
    scans: bytes

    def to_bytes(self) -> bytes:
        """Return the picture as a file."""
        return b"".join([_START, *(segment.raw for segment in self.segments), self.scans])

    def payload(self, marker: int, identifier: bytes) -> bytes | None:
        """Return what follows the identifier in the first such application segment, or None without one."""
        for segment in self.segments:
            if segment.holds(marker, identifier):
                return segment.payload[len(identifier) :]
        return None


def application_segment(marker: int, payload: bytes) -> Segment:
    """Make an application segment.

    Raises:
        OutputError: The payload is longer than a segment can be.
    """
    if len(payload) > LARGEST_PAYLOAD:
        raise OutputError(
            f"A JPEG segment holds {LARGEST_PAYLOAD} bytes, not {len(payload)}. Shorten the metadata of the picture."
        )
    return Segment(marker, payload, struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload)


def parse_jpeg(data: bytes, start: int = 0) -> Jpeg:
    """Take apart the picture that starts at `start`; what follows its end marker is left alone.

    Raises:
        CorruptFile: There is no JPEG picture, or it ends early.
    """
    try:
        return _parse(data, start)
    except (IndexError, struct.error):
        raise CorruptFile(f"The JPEG picture at byte {start} ends early. Get a complete copy of the file.") from None


def _parse(data: bytes, start: int) -> Jpeg:
    if data[start : start + 2] != _START:
        raise CorruptFile(f"There is no JPEG picture at byte {start}. Get an undamaged copy of the file.")
    segments = []
    position = start + 2
    while (segment := _segment_at(data, position)).marker != _FIRST_SCAN:
        if segment.marker == _END:
            raise CorruptFile(f"The JPEG picture at byte {start} holds no scan. Get an undamaged copy of the file.")
        segments.append(segment)
        position += len(segment.raw)
        _check_count(len(segments), start)
    return Jpeg(tuple(segments), data[position : _end_of_scans(data, position)])


def _segment_at(data: bytes, position: int) -> Segment:
    fill = _FILL.match(data, position)
    marker_at = fill.end() if fill else position
    marker = data[marker_at]
    if marker_at == position:
        raise CorruptFile(f"There is no JPEG marker at byte {position}. Get an undamaged copy of the file.")
    if marker == _END or marker in _WITHOUT_LENGTH:
        return Segment(marker, b"", data[position : marker_at + 1])
    (length,) = struct.unpack_from(">H", data, marker_at + 1)
    end = marker_at + 1 + length
    if length < 2 or end > len(data):
        raise IndexError
    return Segment(marker, data[marker_at + 3 : end], data[position:end])


def _end_of_scans(data: bytes, position: int) -> int:
    """Return where the end marker ends; a progressive picture has further scans and tables before it."""
    start, count = position, 0
    while (segment := _segment_at(data, position)).marker != _END:
        count += 1
        _check_count(count, start)
        position += len(segment.raw)
        found = _MARKER_IN_SCAN.search(data, position)
        if found is None:
            raise IndexError
        position = found.start()
    return position + len(segment.raw)


def _check_count(segments: int, start: int) -> None:
    if segments > _SEGMENTS_MOST:
        raise CorruptFile(
            f"There are more than {_SEGMENTS_MOST} segments after byte {start} of the JPEG. Save it again."
        )


def multi_picture_payload(first_size: int, header_at: int, second_size: int) -> bytes:
    """Return the index of a file of two pictures, the second right after the first (CIPA DC-007).

    Args:
        first_size: Bytes of the first picture, this index included.
        header_at: Where in the file the four bytes after the segment's identifier will stand.
        second_size: Bytes of the second picture.
    """
    entries = struct.pack(">IIIHH", 0x030000, first_size, 0, 0, 0)  # the baseline primary picture
    entries += struct.pack(">IIIHH", 0, second_size, first_size - header_at, 0, 0)
    directory = struct.pack(
        ">4sIH" + "HHI4s" + "HHII" + "HHII" + "I",
        *(b"MM\0*", 8, 3),
        *(0xB000, 7, 4, b"0100"),  # version
        *(0xB001, 4, 1, 2),  # number of pictures
        *(0xB002, 7, len(entries), 50),  # their table, at byte 50 after this header
        0,
    )
    return MULTI_PICTURE + directory + entries


def picture_offsets(data: bytes, jpeg: Jpeg) -> list[int]:
    """Return where in the file further pictures may start: after the first one, and where an index says."""
    offsets = [len(jpeg.to_bytes())]
    header_at = 2
    for segment in jpeg.segments:
        if segment.holds(APP2, MULTI_PICTURE):
            header_at += len(segment.raw) - len(segment.payload) + len(MULTI_PICTURE)
            offsets += [header_at + offset for offset in _indexed_offsets(segment.payload[len(MULTI_PICTURE) :])]
            break
        header_at += len(segment.raw)
    return [offset for offset in dict.fromkeys(offsets) if data[offset : offset + 2] == _START]


def _indexed_offsets(index: bytes) -> list[int]:
    """Return the non-zero offsets of a multi-picture index, or none where it is damaged."""
    order = "<" if index.startswith(b"II") else ">"
    try:
        (directory,) = struct.unpack_from(order + "I", index, 4)
        (tags,) = struct.unpack_from(order + "H", index, directory)
        for tag in range(min(tags, 16)):
            name, _, size, table = struct.unpack_from(order + "HHII", index, directory + 2 + 12 * tag)
            if name == 0xB002:
                count = min(size // 16, _PICTURES_MOST)
                entries = [struct.unpack_from(order + "8xI4x", index, table + 16 * entry) for entry in range(count)]
                return [offset for (offset,) in entries if offset]
    except struct.error:
        pass
    return []
