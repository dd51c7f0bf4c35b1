"""Telling what a file is by its first bytes; its name plays no part."""

from __future__ import annotations

from pathlib import Path

from headroom.errors import CorruptFile, UnsupportedFormat
from headroom.io import exif
from headroom.io.formats import FORMATS, ContainerFormat

HEAD_BYTES = 64
"""As many first bytes as `detect` looks at."""

_TO_STILL = "Convert it to PNG or TIFF first"
# First bytes, what they are, what to do.
_REFUSED = (
    (b"GIF8", "GIF", _TO_STILL),
    (b"BM", "BMP", _TO_STILL),
    (b"8BPS", "Photoshop PSD", "Export it as a 16-bit TIFF first"),
    (b"8BPB", "Photoshop PSB", "Export it as a 16-bit TIFF first"),
    (b"%PDF", "PDF", "Export the picture from it as PNG or TIFF first"),
    (b"%!PS", "PostScript", "Export the picture from it as PNG or TIFF first"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000", _TO_STILL),
    (b"\xff\x4f\xff\x51", "JPEG 2000", _TO_STILL),
    (b"II\xbc", "JPEG XR", _TO_STILL),
    (b"FOVb", "Sigma X3F raw", "Develop it to a 16-bit TIFF first"),
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
_ANY_CODEC = {b"mif1", b"msf1"}
_TIFF_ORDERS = (b"II*\0", b"MM\0*")
_SUBFILE_TYPE, _PHOTOMETRIC, _DNG_VERSION = 0x00FE, 0x0106, 0xC612
_REDUCED = 1  # the first picture of a RAW file is a preview
_MOSAIC, _LINEAR_RAW = 32803, 34892


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
    if head[4:8] == b"ftyp":
        return _by_brands(path, head)
    for entry in FORMATS.values():
        if head.startswith(entry.magic) and (entry.name != "webp" or head[8:12] == b"WEBP"):
            return entry
    titles = ", ".join(entry.title for entry in FORMATS.values() if entry.reads)
    raise UnsupportedFormat(f"{path}: not an image that is read here. Convert it to one of {titles}.")


def is_camera_raw(content: bytes) -> bool:
    """Return True for a TIFF structure that is camera RAW or DNG, by the tags of its first picture."""
    if not content.startswith(_TIFF_ORDERS):
        return False
    return (
        exif.has(content, _DNG_VERSION)
        or bool((exif.number(content, _SUBFILE_TYPE) or 0) & _REDUCED)
        or exif.number(content, _PHOTOMETRIC) in {_MOSAIC, _LINEAR_RAW}
    )


def _by_brands(path: Path, head: bytes) -> ContainerFormat:
    """Return the container of an ISO media file by its first brand that is known; those of any codec count last."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
    for brand in sorted(brands, key=lambda brand: brand in _ANY_CODEC):
        for entry in FORMATS.values():
            if brand in entry.brands:
                return entry
    raise UnsupportedFormat(f"{path}: video or another ISO media file is not read. Export a still as PNG first.")


def _refuse(path: Path, head: bytes) -> None:
    if head.startswith(b"version https://git-lfs"):
        raise UnsupportedFormat(
            f"{path}: a Git LFS pointer, not the image itself. Run `git lfs pull` in its repository."
        )
    for magic, name, advice in _REFUSED:
        if head.startswith(magic):
            raise UnsupportedFormat(f"{path}: {name} is not read yet. {advice}.")
