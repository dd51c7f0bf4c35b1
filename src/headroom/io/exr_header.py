"""The header of an OpenEXR file, read by ourselves, so that the library sees no file with impossible bounds."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headroom.errors import CorruptFile, UnsupportedFormat
from headroom.image import Metadata
from headroom.io import exr_metadata, provenance
from headroom.limits import LIMITS

_LONGEST_NAME = 255
_MOST_CHANNELS = 1024
_OWN = b"headroom:"
_NON_IMAGE = 0x800  # version flag of deep data
_PIXEL_BITS = {0: 32, 1: 16, 2: 32}  # unsigned integer, half, float


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: bits of a sample, and the distance of samples in pixels."""

    bits: int
    is_integer: bool
    sampling: tuple[int, int]


@dataclass(frozen=True, slots=True)
class ExrHeader:
    """What the first part of a file says.

    Attributes:
        width: Columns of the data window, which is the part of the picture that has pixels.
        height: Rows of it.
        channels: By name, in the file's order.
        chromaticities: x, y of red, green, blue and white, if the file states them.
        provenance: Attributes named `headroom:...`, which hold JSON or plain text.
        metadata: EXIF and XMP.
        orientation: EXIF orientation in OpenImageIO's attribute of that name, if there is one.
    """

    width: int
    height: int
    channels: Mapping[str, Channel]
    chromaticities: tuple[float, ...] | None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    metadata: Metadata = field(default_factory=Metadata)
    orientation: int | None = None


def parse(path: Path, content: bytes) -> ExrHeader:
    """Read the attributes of the first part (OpenEXR file layout, "Header").

    Raises:
        CorruptFile: It breaks off, or an attribute that is needed is missing or damaged.
        UnsupportedFormat: Deep data.
    """
    flags = int.from_bytes(content[4:8], "little")
    if flags & _NON_IMAGE:
        raise UnsupportedFormat(f"{path}: deep OpenEXR is not read. Flatten it first.")
    try:
        attributes = _attributes(content)
        left, top, right, bottom = struct.unpack("<4i", attributes[b"dataWindow"])
        channels = _channels(attributes[b"channels"])
        stated = attributes.get(b"chromaticities")
        chromaticities = struct.unpack("<8f", stated) if stated is not None else None
    except (struct.error, KeyError, ValueError) as error:
        raise CorruptFile(f"{path}: the OpenEXR header is damaged. Copy or download it again.") from error
    size = (right - left + 1, bottom - top + 1)
    metadata = exr_metadata.from_attributes(attributes)
    turn = int.from_bytes(attributes.get(b"Orientation", b""), "little")
    orientation = turn if turn in range(1, 9) else None
    return ExrHeader(*size, channels, chromaticities, _provenance(attributes), metadata, orientation)


def _attributes(content: bytes) -> dict[bytes, bytes]:
    """Return the raw values: name 0 type 0 size value, until an empty name."""
    found: dict[bytes, bytes] = {}
    at = 8
    while content[at : at + 1] != b"\0":
        name, at = _text(content, at)
        _kind, at = _text(content, at)
        (size,) = struct.unpack_from("<i", content, at)
        at += 4
        if size < 0 or at + size > min(len(content), LIMITS.metadata_bytes):
            raise ValueError("an attribute leaves the file")
        found[name] = content[at : at + size]
        at += size
    return found


def _channels(block: bytes) -> dict[str, Channel]:
    """Return the channels: name 0 kind linear reserved x-sampling y-sampling, until an empty name."""
    found: dict[str, Channel] = {}
    at = 0
    while block[at : at + 1] != b"\0" and len(found) < _MOST_CHANNELS:
        name, at = _text(block, at)
        kind, _linear, x, y = struct.unpack_from("<iiii", block, at)
        found[name.decode("latin-1")] = Channel(_PIXEL_BITS[kind], kind == 0, (x, y))
        at += 16
    return found


def _provenance(attributes: Mapping[bytes, bytes]) -> dict[str, Any]:
    own = {name: value for name, value in attributes.items() if name.startswith(_OWN)}
    return {_decoded(name[len(_OWN) :]): provenance.value_of(_decoded(value)) for name, value in own.items()}


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _text(content: bytes, at: int) -> tuple[bytes, int]:
    """Return a string and the offset behind its end."""
    end = content.index(b"\0", at, at + _LONGEST_NAME + 1)
    return content[at:end], end + 1
