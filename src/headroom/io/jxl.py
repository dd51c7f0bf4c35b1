"""JPEG XL by OpenImageIO: photos, HDR images in PQ or HLG, and linear light in floats."""

from __future__ import annotations

import base64
import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headroom.colour.cicp import PRIMARIES_CODES, TRANSFER_CODES, encoding_of
from headroom.errors import OutputError, UnsupportedFormat
from headroom.image import SDR_WHITE_NITS, Encoding, Hdr, Metadata, Photo
from headroom.io import assemble, child, jxl_file, jxl_header, profile
from headroom.io.child import Decoded
from headroom.io.facts import FileFacts, stored_facts
from headroom.io.guard import check_size
from headroom.io.hdr_codes import PEAK_NITS, hdr_codes, in_cicp_primaries, kind_of
from headroom.io.light_levels import LightLevels
from headroom.io.options import WriteOptions

_PIXEL_BYTES = 96
_BITS = {"uint8": 8, "uint16": 16, "half": 16, "float": 32}
_LOSSLESS_QUALITY = 100
_LOSSY_STEP = 2.0  # of smooth 8-bit codes next to the clip level, as that of AVIF
_LEAST_BYTES = 512  # OpenImageIO takes shorter files for damaged ones


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the header says, with the help of the decoder, which reads no pixels for it."""
    return _facts(path, content, _decode(path, content, "describe").facts)


def read(path: Path, content: bytes) -> Photo | Hdr:
    """Return a photo, or an HDR image where the curve is PQ, HLG or linear in floats; alpha is dropped.

    Raises:
        UnsupportedFormat: Samples other than of 8 or 16 bits or floats.
        CorruptFile: Damaged, or the decoder crashed on it or took too long.
    """
    decoded = _decode(path, content, "decode")
    return assemble.picture(path, _facts(path, content, decoded.facts), decoded.raster)


def write(path: Path, hdr: Hdr, options: WriteOptions) -> None:
    """Write linear light in lossless floats, or PQ or HLG of 16 bits, with code points, brightness, EXIF and XMP.

    PQ and HLG are lossless at quality 100. The brightness is that of 1.0 in linear light, the largest component of any
    pixel in PQ, and in HLG the peak of the display that it is shown on.

    Raises:
        OutputError: The library cannot write it.
    """
    if options.transfer is None or options.transfer == "linear":
        hdr = in_cicp_primaries(hdr)
        _write(path, hdr.pixels, (PRIMARIES_CODES[hdr.primaries], TRANSFER_CODES["linear"]), _LOSSLESS_QUALITY)
        nits = SDR_WHITE_NITS
    else:
        coded = hdr_codes(hdr, options.transfer, 16)
        _write(path, coded.codes, coded.cicp, options.quality)
        nits = coded.max_cll_nits if options.transfer == "pq" else PEAK_NITS["hlg"]
    path.write_bytes(jxl_file.build(path.read_bytes(), hdr.metadata, nits))


def _decode(path: Path, content: bytes, action: Literal["describe", "decode"]) -> Decoded:
    """Run the decoder, once the size that the codestream states is known to be within the limits."""
    header = jxl_header.parse(path, content)
    size = header.width, header.height
    check_size(path, *size)
    padded = content.ljust(_LEAST_BYTES, b"\0")
    return child.decode(path, padded, "jxl", *size, action, title="JPEG XL", pixel_bytes=_PIXEL_BYTES)


def _facts(path: Path, content: bytes, decoded: Mapping[str, Any]) -> FileFacts:
    bits = _BITS.get(decoded["format"])
    if bits is None:
        raise UnsupportedFormat(f"{path}: JPEG XL of {decoded['format']} is not read. Convert it to 16 bits first.")
    metadata, encoding = _colours(jxl_header.metadata(content), decoded)
    header = jxl_header.parse(path, content)
    is_lossy = header.is_xyb or jxl_header.was_jpeg(content)
    is_linear = decoded["format"] in {"half", "float"} and encoding.transfer == "linear"
    kind: Literal["photo", "hdr"] = "hdr" if is_linear else kind_of(encoding)
    return stored_facts(
        path,
        container="jxl",
        kind=kind,
        size=decoded["size"],
        bit_depth=bits,
        encoding=encoding,
        metadata=metadata,
        file_bytes=len(content),
        lossy_step=_LOSSY_STEP * 2 ** (bits - 8) if is_lossy else 0.0,
        light_levels=LightLevels(intensity_target_nits=header.intensity_target_nits if kind == "hdr" else None),
        turn=1,  # the decoder turns the picture, and EXIF does not count (ISO/IEC 18181-2)
    )


def _colours(metadata: Metadata, decoded: Mapping[str, Any]) -> tuple[Metadata, Encoding]:
    """Return the encoding of the code points, else of the ICC profile, which then belongs to the metadata."""
    stated = encoding_of(*decoded["cicp"][:2]) if decoded["cicp"] else None
    if stated is not None:
        return metadata, stated
    icc = base64.b64decode(decoded["icc"]) if decoded["icc"] else None
    metadata = dataclasses.replace(metadata, icc=icc)
    return metadata, profile.encoding_of(metadata)


def _write(path: Path, pixels: NDArray[Any], cicp: tuple[int, int], quality: int) -> None:
    import OpenImageIO

    height, width = pixels.shape[:2]
    spec = OpenImageIO.ImageSpec(width, height, 3, str(pixels.dtype).replace("float32", "float"))
    spec.attribute("CICP", "int[4]", (*cicp, 0, 1))
    spec.attribute("compression", f"jpegxl:{quality}")
    output = OpenImageIO.ImageOutput.create("any.jxl")
    if output is None:
        raise OutputError(f"{path}: this OpenImageIO writes no JPEG XL. Install the openimageio package from PyPI.")
    written = output.open(os.fspath(path), spec) and output.write_image(np.ascontiguousarray(pixels))
    if not (written and output.close()):
        raise OutputError(f"{path}: cannot be written ({output.geterror()}). Check the folder and its free space.")
