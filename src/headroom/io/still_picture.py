"""What AVIF and HEIF files share: their facts, and the way from decoded codes to a photo with its gain map."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from headroom.colour.cicp import encoding_of
from headroom.errors import UnsupportedFormat
from headroom.image import Encoding, Hdr, Metadata, Photo
from headroom.io import assemble, profile, still_gain_map, still_header
from headroom.io.facts import FileFacts, stored_facts
from headroom.io.guard import check_size
from headroom.io.hdr_codes import kind_of
from headroom.io.still_gain_map import Decode
from headroom.io.still_header import StillHeader

Container = Literal["avif", "heif"]

_DEPTHS = (8, 10, 12)
# Largest error of 90 % of the smooth codes next to the clip level at the encoders' usual qualities, in 8-bit codes.
_LOSSY_STEP = 2.0


def describe(path: Path, content: bytes, container: Container) -> FileFacts:
    """Return what the header of the primary picture says.

    Raises:
        UnsupportedFormat: More than 12 bits.
        InputError: The size or a metadata block is impossible or beyond the limits.
    """
    return _facts(path, still_header.parse(path, content), container, len(content))


def read(path: Path, content: bytes, container: Container, decode: Decode) -> Photo | Hdr:
    """Return a photo with its gain map, or an HDR image where the curve is PQ or HLG.

    Alpha is dropped; of several pictures the primary one is read.

    Raises:
        CorruptFile: Damaged, or the decoder crashed on it or took too long.
    """
    header = still_header.parse(path, content)
    facts = _facts(path, header, container, len(content))
    codes, bit_depth = decode(path, content, header)
    picture = assemble.picture(path, dataclasses.replace(facts, orientation=1, bit_depth=bit_depth), codes)
    if isinstance(picture, Hdr):
        return picture
    return assemble.with_gain_map(picture, lambda: still_gain_map.read(path, content, header.exif, decode))


def _facts(path: Path, header: StillHeader, container: Container, file_bytes: int) -> FileFacts:
    if header.bit_depth not in _DEPTHS:
        raise UnsupportedFormat(f"{path}: {header.bit_depth} bits a channel are not read. Convert it to 12 first.")
    check_size(path, header.width, header.height)
    encoding, icc = _colours(header)
    kind = kind_of(encoding)
    return stored_facts(
        path,
        container=container,
        kind=kind,
        size=header.view.stored_size,
        bit_depth=header.bit_depth,
        encoding=encoding,
        metadata=Metadata(exif=header.exif, xmp=header.xmp, icc=icc),
        file_bytes=file_bytes,
        light_levels=header.light_levels,
        turn=header.view.orientation,
        lossy_step=_LOSSY_STEP * 2 ** (header.bit_depth - 8) if kind == "photo" else 0.0,
    )


def _colours(header: StillHeader) -> tuple[Encoding, bytes | None]:
    """Return the encoding, and the ICC profile if that decides.

    Code points of PQ and HLG come first, then the profile, then other code points (ISO/IEC 23000-22, 7.3.6.4 lets a
    file state both).
    """
    stated = encoding_of(*header.nclx) if header.nclx else None
    metadata = Metadata(exif=header.exif, icc=header.icc)
    if stated is None or (kind_of(stated) == "photo" and header.icc is not None):
        return profile.encoding_of(metadata), header.icc
    return stated, None
