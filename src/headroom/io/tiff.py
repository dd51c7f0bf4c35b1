"""TIFF by tifffile: photos of 8 and 16 bits, linear light in floats; of several pages the first."""

from __future__ import annotations

import logging
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headroom.colour.icc import profile_for
from headroom.colour.strips import strips
from headroom.errors import CorruptFile, UnsupportedFormat
from headroom.image import Encoding, Hdr, Metadata, Photo
from headroom.io import assemble, profile
from headroom.io.facts import FileFacts, stored_facts
from headroom.io.options import WriteOptions

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

_ORIENTATION, _XMP, _EXIF_DIRECTORY, _GPS_DIRECTORY, _ICC, _DNG_VERSION = 274, 700, 34665, 34853, 34675, 50706
_BYTES = 1  # the data type
# What a TIFF says about the picture rather than about its own layout: description, maker, model, orientation, dates,
# artist, copyright and the two directories.
_PICTURE_TAGS = (270, 271, 272, _ORIENTATION, 305, 306, 315, 33432, _EXIF_DIRECTORY, _GPS_DIRECTORY)
_COMPRESSIONS = {"NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "ZSTD"}
_PHOTOMETRICS = {"MINISWHITE", "MINISBLACK", "RGB", "PALETTE"}
_KINDS = {"u1", "u2", "f2", "f4", "f8"}


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the first directory says."""
    with _open(content) as file:
        return _facts(path, content, file.pages[0])


def read(path: Path, content: bytes) -> Photo | Hdr:
    """Return a photo of an integer file and an HDR image of a float one; alpha is dropped.

    Raises:
        UnsupportedFormat: Camera raw, another compression, colour model or depth; the message says which.
    """
    with _open(content) as file:
        page = file.pages[0]
        facts = _facts(path, content, page)
        _check_segments(path, page, len(content))
        stored = _interleaved(page)
    return assemble.photo(path, facts, stored) if facts.kind == "photo" else assemble.scene(path, facts, stored)


def write(path: Path, hdr: Hdr, options: WriteOptions) -> None:
    """Write float32, deflated, with a linear ICC profile and, for an upright picture's sake, no orientation."""
    import tifffile

    icc = profile_for(Encoding(hdr.primaries, "linear"))
    xmp = hdr.metadata.xmp
    tifffile.imwrite(
        path,
        hdr.pixels,
        photometric="rgb",
        compression="adobe_deflate" if options.compress else None,
        predictor=options.compress,
        rowsperstrip=64,
        iccprofile=icc,
        extratags=[(_XMP, _BYTES, len(xmp), xmp, True)] if xmp else [],
        software="Headroom",
        metadata=None,
        maxworkers=1,
    )


def _open(content: bytes) -> TiffFile:
    """Open without reading pixels. tifffile logs what it skips in a damaged file; here the checks below answer."""
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    return tifffile.TiffFile(BytesIO(content))


def _facts(path: Path, content: bytes, page: TiffPage) -> FileFacts:
    _check_kind(path, page)
    metadata = Metadata(exif=_exif(content), xmp=_bytes(page, _XMP), icc=_bytes(page, _ICC))
    is_float = page.dtype.kind == "f"
    encoding = profile.encoding_of(metadata)
    tag = page.tags.get(_ORIENTATION)
    return stored_facts(
        path,
        container="tiff",
        kind="hdr" if is_float else "photo",
        size=(page.imagewidth, page.imagelength),
        bit_depth=page.dtype.itemsize * 8,
        encoding=Encoding(encoding.primaries, "linear") if is_float else encoding,
        metadata=metadata,
        file_bytes=len(content),
        turn=int(tag.value) if tag is not None and tag.value in range(1, 9) else 1,
    )


def _check_kind(path: Path, page: TiffPage) -> None:
    """Refuse by name what is not a plain grey, RGB or palette picture."""
    if _DNG_VERSION in page.tags or page.subfiletype & 1:
        raise UnsupportedFormat(f"{path}: camera raw is not read yet. Develop it to a 16-bit TIFF first.")
    compression, photometric = _name(page.compression), _name(page.photometric)
    if compression not in _COMPRESSIONS:
        raise UnsupportedFormat(f"{path}: {compression} compression in TIFF is not read. Save it with LZW or deflate.")
    if photometric not in _PHOTOMETRICS or page.imagedepth != 1:
        raise UnsupportedFormat(f"{path}: TIFF of the colour model {photometric} is not read. Convert it to RGB first.")
    if page.dtype is None or page.dtype.str[1:] not in _KINDS or page.bitspersample != page.dtype.itemsize * 8:
        raise UnsupportedFormat(
            f"{path}: TIFF of {page.bitspersample} bits of this sample format is not read. Convert it to 16 bits first."
        )


def _name(value: object) -> str:
    return str(getattr(value, "name", value))


def _bytes(page: TiffPage, code: int) -> bytes | None:
    tag = page.tags.get(code)
    return bytes(tag.value) if tag is not None and isinstance(tag.value, bytes | tuple) else None


def _exif(content: bytes) -> bytes | None:
    """Return an EXIF block of the tags that are about the picture, if there are any; none for a BigTIFF."""
    from PIL import Image

    if content[2:4] not in {b"*\0", b"\0*"}:
        return None
    found, kept = Image.Exif(), Image.Exif()
    found.load(content)
    for tag in _PICTURE_TAGS:
        if tag in found:
            kept[tag] = found.get_ifd(tag) if tag in {_EXIF_DIRECTORY, _GPS_DIRECTORY} else found[tag]
    return kept.tobytes().removeprefix(b"Exif\0\0") if kept else None


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
