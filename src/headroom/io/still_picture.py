"""Facts of AVIF and HEIF files, which share one header."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from headroom.colour.cicp import encoding_of
from headroom.errors import UnsupportedFormat
from headroom.image import Encoding, Metadata
from headroom.io import profile, still_header
from headroom.io.facts import FileFacts, stored_facts
from headroom.io.hdr_codes import kind_of
from headroom.io.still_header import StillHeader

_DEPTHS = (8, 10, 12)
# Largest error of 90 % of the smooth codes next to the clip level at the encoders' usual qualities, in 8-bit codes.
_LOSSY_STEP = 2.0


def facts(path: Path, content: bytes, container: Literal["avif", "heif"]) -> FileFacts:
    """Return what the header of the primary picture says.

    The size is that of the decoder's result: libheif crops, libavif leaves that to others.

    Raises:
        UnsupportedFormat: More than 12 bits.
        InputError: The size or a metadata block is impossible or beyond the limits.
    """
    picture = still_header.parse(path, content)
    if picture.bit_depth not in _DEPTHS:
        raise UnsupportedFormat(f"{path}: {picture.bit_depth} bits a channel are not read. Convert it to 12 first.")
    encoding, icc = _colours(picture)
    kind = kind_of(encoding)
    return stored_facts(
        path,
        container=container,
        kind=kind,
        size=picture.cropped if container == "heif" else (picture.width, picture.height),
        bit_depth=picture.bit_depth,
        encoding=encoding,
        metadata=Metadata(exif=picture.exif, xmp=picture.xmp, icc=icc),
        file_bytes=len(content),
        turn=picture.orientation,
        lossy_step=_LOSSY_STEP * 2 ** (picture.bit_depth - 8) if kind == "photo" else 0.0,
    )


def _colours(picture: StillHeader) -> tuple[Encoding, bytes | None]:
    """Return the encoding, and the ICC profile if that decides.

    Code points of PQ and HLG come first, then the profile, then other code points (ISO/IEC 23000-22, 7.3.6.4 lets a
    file state both).
    """
    stated = encoding_of(*picture.nclx) if picture.nclx else None
    metadata = Metadata(exif=picture.exif, icc=picture.icc)
    if stated is None or (kind_of(stated) == "photo" and picture.icc is not None):
        return profile.encoding_of(metadata), picture.icc
    return stated, None
