"""Telling what a file is by its first bytes; its name plays no part."""

from __future__ import annotations

from pathlib import Path

from headroom.errors import CorruptFile, UnsupportedFormat
from headroom.io.formats import FORMATS, ContainerFormat

HEAD_BYTES = 64
"""As many first bytes as `detect` looks at."""

_TO_STILL = "Convert it to PNG or TIFF first"
_DEVELOP = "Develop it to a 16-bit TIFF first"
# First bytes, what they are, what to do.
_REFUSED = (
    (b"GIF8", "GIF", _TO_STILL),
    (b"BM", "BMP", _TO_STILL),
    (b"8BPS", "Photoshop PSD", "Export it as a 16-bit TIFF first"),
    (b"8BPB", "Photoshop PSB", "Export it as a 16-bit TIFF first"),
    (b"%PDF", "PDF", "Export the picture from it as PNG or TIFF first"),
    (b"%!PS", "PostScript", "Export the picture from it as PNG or TIFF first"),
    (b"\xff\x0a", "JPEG XL", _TO_STILL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL", _TO_STILL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000", _TO_STILL),
    (b"\xff\x4f\xff\x51", "JPEG 2000", _TO_STILL),
    (b"II\xbc", "JPEG XR", _TO_STILL),
    (b"II*\0\x10\0\0\0CR", "Canon CR2 raw", _DEVELOP),
    (b"IIU\0", "Panasonic RW2 raw", _DEVELOP),
    (b"IIRO", "Olympus ORF raw", _DEVELOP),
    (b"IIRS", "Olympus ORF raw", _DEVELOP),
    (b"MMOR", "Olympus ORF raw", _DEVELOP),
    (b"FUJIFILMCCD-RAW", "Fujifilm RAF raw", _DEVELOP),
    (b"FOVb", "Sigma X3F raw", _DEVELOP),
    (b"SIMPLE  =", "FITS", "Convert it to a float TIFF first"),
    (b"SDPX", "DPX", "Convert it to OpenEXR first"),
    (b"XPDS", "DPX", "Convert it to OpenEXR first"),
    (b"P1", "Netpbm", _TO_STILL),
    (b"P2", "Netpbm", _TO_STILL),
    (b"P3", "Netpbm", _TO_STILL),
    (b"P4", "Netpbm", _TO_STILL),
    (b"P5", "Netpbm", _TO_STILL),
    (b"P6", "Netpbm", _TO_STILL),
    (b"P7", "Netpbm", _TO_STILL),
    (b"qoif", "QOI", _TO_STILL),
    (b"DDS ", "DDS", _TO_STILL),
    (b"\0\0\x01\0", "icon", _TO_STILL),
    (b"<svg", "SVG", "Render it to PNG first"),
    (b"<?xml", "XML or SVG", "Render it to PNG first"),
    (b"PK\x03\x04", "zip archive", "Unpack it first"),
    (b"\x1f\x8b", "gzip archive", "Unpack it first"),
)
# Major brands of the ISO base media file format.
_BRANDS = {
    b"avif": ("AVIF", _TO_STILL),
    b"avis": ("AVIF", _TO_STILL),
    b"heic": ("HEIC", _TO_STILL),
    b"heix": ("HEIC", _TO_STILL),
    b"hevc": ("HEIC", _TO_STILL),
    b"hevx": ("HEIC", _TO_STILL),
    b"mif1": ("HEIF", _TO_STILL),
    b"msf1": ("HEIF", _TO_STILL),
    b"crx ": ("Canon CR3 raw", _DEVELOP),
}


def detect(path: Path, head: bytes) -> ContainerFormat:
    """Return the container whose first bytes these are.

    Args:
        path: Named in errors only.
        head: The file's first `HEAD_BYTES` bytes, or all of a shorter file.

    Raises:
        CorruptFile: The file is empty.
        UnsupportedFormat: Anything else that is not read; the message says what it is, where that is known.
    """
    if not head:
        raise CorruptFile(f"{path}: the file is empty. Copy or download it again.")
    _refuse(path, head)
    for entry in FORMATS.values():
        if head.startswith(entry.magic) and (entry.name != "webp" or head[8:12] == b"WEBP"):
            return entry
    titles = ", ".join(entry.title for entry in FORMATS.values() if entry.reads)
    raise UnsupportedFormat(f"{path}: not an image that is read here. Convert it to one of {titles}.")


def _refuse(path: Path, head: bytes) -> None:
    if head.startswith(b"version https://git-lfs"):
        raise UnsupportedFormat(
            f"{path}: a Git LFS pointer, not the image itself. Run `git lfs pull` in its repository."
        )
    if head[4:8] == b"ftyp":
        name, advice = _BRANDS.get(head[8:12], ("video or another ISO media file", "Export a still as PNG or TIFF"))
        raise UnsupportedFormat(f"{path}: {name} is not read yet. {advice}.")
    for magic, name, advice in _REFUSED:
        if head.startswith(magic):
            raise UnsupportedFormat(f"{path}: {name} is not read yet. {advice}.")
