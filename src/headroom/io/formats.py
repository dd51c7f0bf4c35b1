"""The containers that Headroom reads and writes, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from headroom.errors import UsageError
from headroom.limits import LIMITS


@dataclass(frozen=True, slots=True)
class ContainerFormat:
    """One container.

    Attributes:
        name: Short name, as in `write_hdr(..., format=name)`.
        title: Name for a person.
        suffixes: File name endings, the usual one first; only for choosing what to write.
        magic: Byte strings that a file may start with; only these decide what is read.
        module: Module of `headroom.io` with its `describe`, `read` and `write`.
        reads: What a file of this kind holds, or None when it is not read.
        writes_hdr: True when an `Hdr` can be written as it.
        max_bytes: Largest file that is opened.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...]
    module: str
    reads: Literal["photo", "hdr", "either"] | None
    writes_hdr: bool
    max_bytes: int = LIMITS.file_bytes


_LARGE = LIMITS.hdr_file_bytes

_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PFM_MAGIC = tuple(kind + space for kind in (b"PF", b"Pf") for space in (b"\n", b"\r", b" "))
_TABLE = (
    ContainerFormat("jpeg", "JPEG", (".jpg", ".jpeg", ".jpe"), (b"\xff\xd8\xff",), "jpeg", "photo", writes_hdr=False),
    ContainerFormat("png", "PNG", (".png",), (b"\x89PNG\r\n\x1a\n",), "png", "photo", writes_hdr=False),
    ContainerFormat("webp", "WebP", (".webp",), (b"RIFF",), "webp", "photo", writes_hdr=False),
    ContainerFormat(
        "tiff", "TIFF", (".tif", ".tiff"), _TIFF_MAGIC, "tiff", "either", writes_hdr=True, max_bytes=_LARGE
    ),
    ContainerFormat("exr", "OpenEXR", (".exr",), (b"v/1\x01",), "exr", "hdr", writes_hdr=True, max_bytes=_LARGE),
    ContainerFormat(
        "hdr",
        "Radiance HDR",
        (".hdr", ".pic", ".rgbe"),
        (b"#?RADIANCE", b"#?RGBE"),
        "radiance",
        "hdr",
        writes_hdr=True,
        max_bytes=_LARGE,
    ),
    ContainerFormat("pfm", "PFM", (".pfm",), _PFM_MAGIC, "pfm", "hdr", writes_hdr=True, max_bytes=_LARGE),
    ContainerFormat("ultra-hdr", "gain-map JPEG", (".jpg", ".jpeg"), (), "ultra_hdr", None, writes_hdr=True),
)
FORMATS = {entry.name: entry for entry in _TABLE}
"""Every container by name."""


def output_format(path: PurePath, name: str | None) -> ContainerFormat:
    """Return the format to write: the one named, else the one of the suffix.

    Raises:
        UsageError: No such format, or one that no HDR image can be written as.
    """
    writable = {entry.name: entry for entry in FORMATS.values() if entry.writes_hdr}
    if name is not None:
        if name not in writable:
            raise UsageError(f"{name}: not a format for HDR output. Choose one of {', '.join(writable)}.")
        return writable[name]
    for entry in writable.values():
        if path.suffix.lower() in entry.suffixes:
            return entry
    known = ", ".join(entry.suffixes[0] for entry in writable.values())
    raise UsageError(f"{path}: the suffix names no format for HDR output. Use one of {known}, or name the format.")
