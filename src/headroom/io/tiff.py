"""TIFF by tifffile: photos of 8 and 16 bits, linear light in floats, PQ and HLG in 16; of several pages the first."""

from __future__ import annotations

import logging
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headroom.colour.icc import profile_for, profile_for_cicp
from headroom.colour.strips import strips
from headroom.errors import CorruptFile, UnsupportedFormat
from headroom.image import Encoding, Hdr, Metadata, Photo
from headroom.io import assemble, profile, tiff_exif, tiff_file
from headroom.io.facts import FileFacts, stored_facts
from headroom.io.hdr_codes import hdr_codes, kind_of
from headroom.io.options import WriteOptions

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

_ORIENTATION = 274
_COMPRESSIONS = {"NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "ZSTD"}
_PHOTOMETRICS = {"MINISWHITE", "MINISBLACK", "RGB", "PALETTE"}
_KINDS = {"u1", "u2", "f2", "f4", "f8"}


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the first directory says."""
    with _open(content) as file:
        return _facts(path, content, file.pages[0])


def read(path: Path, content: bytes) -> Photo | Hdr:
    """Return a photo of integers, or an HDR image of floats or where the profile names PQ or HLG; alpha is dropped.

    Raises:
        UnsupportedFormat: Another compression, colour model or depth; the message says which.
    """
    with _open(content) as file:
        page = file.pages[0]
        facts = _facts(path, content, page)
        _check_segments(path, page, len(content))
        stored = _interleaved(page)
    return assemble.picture(path, facts, stored)


def write(path: Path, hdr: Hdr, options: WriteOptions) -> None:
    """Write float32 with a linear ICC profile, or 16-bit PQ or HLG with one that names the curve, deflated.

    An upright picture needs no orientation.
    """
    values: NDArray[Any] = hdr.pixels
    if options.transfer is None or options.transfer == "linear":
        icc = profile_for(Encoding(hdr.primaries, "linear"))
    else:
        coded = hdr_codes(hdr, options.transfer, 16)
        values, icc = coded.codes, profile_for_cicp(coded.primaries, coded.transfer)
    tiff_file.write(path, values, hdr.metadata, icc, compress=options.compress)


def _open(content: bytes) -> TiffFile:
    """Open without reading pixels. tifffile logs what it skips in a damaged file; here the checks below answer."""
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    return tifffile.TiffFile(BytesIO(content))


def _facts(path: Path, content: bytes, page: TiffPage) -> FileFacts:
    _check_kind(path, page)
    metadata = Metadata(exif=tiff_exif.block(content), xmp=_bytes(page, tiff_file.XMP), icc=_bytes(page, tiff_file.ICC))
    is_float = page.dtype.kind == "f"
    encoding = profile.encoding_of(metadata)
    tag = page.tags.get(_ORIENTATION)
    return stored_facts(
        path,
        container="tiff",
        kind="hdr" if is_float else kind_of(encoding),
        size=(page.imagewidth, page.imagelength),
        bit_depth=page.dtype.itemsize * 8,
        encoding=Encoding(encoding.primaries, "linear") if is_float else encoding,
        metadata=metadata,
        file_bytes=len(content),
        turn=int(tag.value) if tag is not None and tag.value in range(1, 9) else 1,
    )


def _check_kind(path: Path, page: TiffPage) -> None:
    """Refuse by name what is not a plain grey, RGB or palette picture."""
    compression, photometric = _name(page.compression), _name(page.photometric)
    if compression not in _COMPRESSIONS:
        raise UnsupportedFormat(f"{path}: {compression} compression in TIFF is not read. Save it with LZW or deflate.")
    if photometric not in _PHOTOMETRICS or page.imagedepth != 1:
        raise UnsupportedFormat(f"{path}: TIFF of the colour model {photometric} is not read. Convert it to RGB first.")
    if page.dtype is None or page.dtype.str[1:] not in _KINDS or page.bitspersample != page.dtype.itemsize * 8:
        bits = _name(page.bitspersample)
        raise UnsupportedFormat(
            f"{path}: TIFF of {bits} bits of this sample format is not read. Convert it to 16 bits first."
        )


def _name(value: object) -> str:
    """Return the name of a tag's value, or the start of what a damaged file has in its place."""
    return str(getattr(value, "name", value))[:40]


def _bytes(page: TiffPage, code: int) -> bytes | None:
    tag = page.tags.get(code)
    return bytes(tag.value) if tag is not None and isinstance(tag.value, bytes | tuple) else None


def _check_segments(path: Path, page: TiffPage, file_bytes: int) -> None:
    """Refuse strips or tiles that are missing or lie outside the file: the decoder would leave them blank."""
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    expected = int(np.prod(page.chunked))
    if len(segments) != expected or any(size < 1 or at + size > file_bytes for at, size in segments):
        raise CorruptFile(f"{path}: parts of the TIFF picture are missing. Copy or download it again.")


def _interleaved(page: TiffPage) -> NDArray[Any]:
    """Return H x W or H x W x samples."""
    pixels: NDArray[Any] = page.asarray(maxworkers=1)
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        pixels = np.moveaxis(pixels, 0, -1)
    photometric = _name(page.photometric)
    if photometric == "PALETTE":
        palette: NDArray[np.uint8] = np.asarray(page.colormap >> 8, np.uint8)
        return np.asarray(palette.T[pixels])
    if photometric == "MINISWHITE" and pixels.dtype.kind == "u":
        for rows in strips(pixels.shape):
            pixels[rows] = np.iinfo(pixels.dtype).max - pixels[rows]
    return pixels
