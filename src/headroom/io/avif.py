"""AVIF by libavif through imagecodecs: photos, and HDR images in PQ or HLG; the container is read and written here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from headroom.errors import CorruptFile, OutputError, UsageError
from headroom.image import Hdr, Photo
from headroom.io import avif_file, child, still_picture
from headroom.io.facts import FileFacts
from headroom.io.hdr_codes import HdrCodes, curve_of, hdr_codes
from headroom.io.options import WriteOptions
from headroom.io.still_header import StillHeader

_PIXEL_BYTES = 48
_DEFAULT_BITS = 10  # what screens show and hardware decodes
_LOSSLESS_QUALITY = 100
_SPEED = 8
_IDENTITY, _BT2020_NCL = 0, 9  # ITU-T H.273, matrix coefficients


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the header says."""
    return still_picture.describe(path, content, "avif")


def read(path: Path, content: bytes) -> Photo | Hdr:
    """Return a photo with its gain map, or an HDR image where the curve is PQ or HLG; see `still_picture.read`."""
    return still_picture.read(path, content, "avif", _decode)


def write(path: Path, hdr: Hdr, options: WriteOptions) -> None:
    """Write 4:4:4 in PQ or HLG of 10 or 12 bits, with its code points, MaxCLL and MaxFALL.

    Quality 100 is lossless: every code is that of the picture.

    Raises:
        UsageError: Another depth, or linear light.
        OutputError: The library cannot encode it.
    """
    depth = options.bit_depth or _DEFAULT_BITS
    if depth not in {10, 12}:
        raise UsageError(f"{path}: AVIF holds HDR in 10 or 12 bits, not in {depth}. Choose one of them.")
    coded = hdr_codes(hdr, curve_of(path, options), depth)
    matrix = _IDENTITY if options.quality == _LOSSLESS_QUALITY else _BT2020_NCL
    encoded = _encoded(path, coded, matrix, options.quality)
    path.write_bytes(avif_file.build(encoded, coded, matrix, hdr.metadata))


def _decode(path: Path, content: bytes, header: StillHeader) -> tuple[NDArray[Any], int]:
    size = header.width, header.height
    stored = child.decode(path, content, "avif", *size, title="AVIF", pixel_bytes=_PIXEL_BYTES).raster
    if stored.shape[1::-1] != size:
        raise CorruptFile(f"{path}: its picture is not of the size that its header says. Copy or download it again.")
    return header.view.of(stored), header.bit_depth  # libavif leaves crops and turns to others


def _encoded(path: Path, coded: HdrCodes, matrix: int, quality: int) -> bytes:
    import imagecodecs

    primaries, transfer = coded.cicp
    try:
        encoded = imagecodecs.avif_encode(
            coded.codes,
            level=quality,
            speed=_SPEED,
            bitspersample=coded.bit_depth,
            pixelformat="444",
            primaries=primaries,
            transfer=transfer,
            matrix=matrix,
            numthreads=2,
        )
    except imagecodecs.AvifError as error:
        raise OutputError(f"{path}: cannot be encoded as AVIF ({error}). Choose another format.") from error
    return bytes(encoded)
