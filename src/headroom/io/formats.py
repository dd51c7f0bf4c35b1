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
        brands: For ISO media files, the brands that decide instead of `magic`.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    magic: tuple[bytes, ...]
    module: str
    reads: Literal["photo", "hdr", "either"] | None
    writes_hdr: bool
    max_bytes: int = LIMITS.file_bytes
    brands: tuple[bytes, ...] = ()


_LARGE = LIMITS.hdr_file_bytes

_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PFM_MAGIC = tuple(kind + space for kind in (b"PF", b"Pf") for space in (b"\n", b"\r", b" "))
# Canon CR2, Panasonic, Olympus, Fujifilm; what else is RAW looks like TIFF or is an ISO media file.
_RAW_MAGIC = (b"II*\0\x10\0\0\0CR", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FUJIFILMCCD-RAW")
_RAW_SUFFIXES = (".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw")
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JXL_MAGIC = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
_TABLE = (
    ContainerFormat("jpeg", "JPEG", (".jpg", ".jpeg", ".jpe"), (b"\xff\xd8\xff",), "jpeg", "photo", writes_hdr=False),
    ContainerFormat("png", "PNG", (".png",), (b"\x89PNG\r\n\x1a\n",), "png", "either", writes_hdr=True),
    ContainerFormat("webp", "WebP", (".webp",), (b"RIFF",), "webp", "photo", writes_hdr=False),
    ContainerFormat("avif", "AVIF", (".avif",), (), "avif", "either", writes_hdr=True, brands=_AVIF_BRANDS),
    ContainerFormat("heif", "HEIC", (".heic", ".heif"), (), "heif", "either", writes_hdr=False, brands=_HEIF_BRANDS),
    ContainerFormat("jxl", "JPEG XL", (".jxl",), _JXL_MAGIC, "jxl", "either", writes_hdr=True),
    ContainerFormat(
        "raw", "camera RAW", _RAW_SUFFIXES, _RAW_MAGIC, "raw", "either", writes_hdr=False, brands=(b"crx ",)
    ),
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
