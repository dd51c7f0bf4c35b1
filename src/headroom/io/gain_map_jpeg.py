"""JPEG files with a gain map: an SDR picture that every viewer shows, and what an HDR display adds to it.

The file is the base picture, then a JPEG of the gain map. A multi-picture index leads to the second, which holds the
numbers of ISO 21496-1 and, for older readers, those of Adobe's XMP.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from headroom.colour.icc import encoding_from_profile, profile_for
from headroom.errors import CorruptFile, LimitExceeded
from headroom.image import Encoding, GainMap
from headroom.io import apple_gain_map, provenance
from headroom.io import gain_map_metadata as metadata
from headroom.io.gain_map_picture import encode_picture
from headroom.io.jpeg_segments import (
    APP1,
    APP2,
    EXIF,
    ICC,
    ISO_GAIN_MAP,
    LARGEST_PAYLOAD,
    MULTI_PICTURE,
    XMP,
    Jpeg,
    Segment,
    application_segment,
    multi_picture_payload,
    parse_jpeg,
    picture_offsets,
)
from headroom.limits import LIMITS

_APPLICATION_SEGMENTS = range(0xE0, 0xF0)
_UNKNOWN: Mapping[str, Any] = MappingProxyType({})
_INDEX_HEADER = 4 + len(MULTI_PICTURE)  # from the start of the index's segment to the byte its offsets count from


def gain_map_jpeg(base_jpeg: bytes, gain_map: GainMap, made: Mapping[str, Any] = _UNKNOWN) -> bytes:
    """Add a gain map to a JPEG picture, whose scans and tables stay byte for byte.

    Kept as they are: all segments but the ones named here, and everything from the first scan to the end marker. An
    existing XMP packet is kept and extended. An older multi-picture index goes, together with what follows the end
    marker: previews and an older gain map that only it led to, and what phones append.

    Args:
        base_jpeg: The SDR picture.
        gain_map: Its gain map, in the orientation of the stored raster, which EXIF may turn.
        made: Provenance, which goes into the XMP packet.

    Raises:
        CorruptFile: `base_jpeg` is damaged.
    """
    base = parse_jpeg(base_jpeg)
    second = _map_jpeg(gain_map)
    packet = metadata.base_xmp(provenance.into_xmp(base.payload(APP1, XMP), made), len(second))
    segments = [segment for segment in base.segments if not _is_replaced(segment)]
    segments = _with_xmp(segments, packet)
    place = _after_leading(segments)
    version = application_segment(APP2, ISO_GAIN_MAP + metadata.ISO_VERSIONS)
    before, after = [*segments[:place], version], segments[place:]
    header_at = 2 + sum(len(segment.raw) for segment in before) + _INDEX_HEADER
    index = application_segment(APP2, multi_picture_payload(0, 0, 0))
    first_size = len(Jpeg((*before, index, *after), base.scans).to_bytes())
    index = application_segment(APP2, multi_picture_payload(first_size, header_at, len(second)))
    return Jpeg((*before, index, *after), base.scans).to_bytes() + second


def read_gain_map_jpeg(data: bytes) -> tuple[bytes, GainMap] | None:
    """Return the base picture, as the file holds it, and its gain map; None for a file without one.

    Reads ISO 21496-1 and, where that is missing, Adobe's `hdrgm` XMP or else Apple's own numbers. The map is in the
    stored raster's orientation.

    Raises:
        CorruptFile: The JPEG or its gain map is damaged.
        LimitExceeded: The gain map is larger than an image may be.
        UnsupportedFormat: The gain map asks for a newer reader.
    """
    base = parse_jpeg(data)
    for offset in picture_offsets(data, base):
        gain_map = _gain_map(parse_jpeg(data, offset), base.payload(APP1, EXIF))
        if gain_map is not None:
            return base.to_bytes(), gain_map
    return None


def _gain_map(picture: Jpeg, photo_exif: bytes | None) -> GainMap | None:
    """Return the gain map that a picture behind the photo is, or None when it is something else."""
    iso, xmp = picture.payload(APP2, ISO_GAIN_MAP), picture.payload(APP1, XMP) or b""
    if iso is not None and len(iso) > len(metadata.ISO_VERSIONS):
        codes, icc = _decoded(picture)
        alternate = encoding_from_profile(icc) if icc else None
        return metadata.from_iso(iso, codes, alternate.primaries if alternate else None)
    if metadata.is_gain_map_xmp(xmp):
        return metadata.from_xmp(xmp, _decoded(picture)[0])
    if apple_gain_map.is_apple_xmp(xmp):
        return apple_gain_map.from_apple(xmp, photo_exif, _decoded(picture)[0])
    return None


def _map_jpeg(gain_map: GainMap) -> bytes:
    picture = parse_jpeg(encode_picture(gain_map))
    place = _after_leading(picture.segments)
    numbers = [
        application_segment(APP1, XMP + metadata.to_xmp(gain_map)),
        application_segment(APP2, ISO_GAIN_MAP + metadata.to_iso(gain_map)),
    ]
    if gain_map.gain_primaries is not None:
        profile = profile_for(Encoding(gain_map.gain_primaries))
        numbers.append(application_segment(APP2, ICC + b"\1\1" + profile))  # part 1 of 1
    return Jpeg((*picture.segments[:place], *numbers, *picture.segments[place:]), picture.scans).to_bytes()


def _decoded(picture: Jpeg) -> tuple[NDArray[np.uint8], bytes | None]:
    """Return the codes of a gain map and its ICC profile, which is that of the HDR image."""
    try:
        image = JpegImageFile(BytesIO(picture.to_bytes()))
        if image.width * image.height > LIMITS.pixels:
            size = f"{image.width} x {image.height}"
            raise LimitExceeded(f"The gain map has {size} pixels, {LIMITS.pixels} are the most. Export a smaller one.")
        return np.asarray(image if image.mode == "L" else image.convert("RGB")), image.info.get("icc_profile")
    except (OSError, SyntaxError, ValueError, IndexError, struct.error) as error:
        raise CorruptFile(f"The gain map cannot be decoded ({error}). Get an undamaged copy of the file.") from error


def _is_replaced(segment: Segment) -> bool:
    return segment.holds(APP2, MULTI_PICTURE) or segment.holds(APP2, ISO_GAIN_MAP)


def _with_xmp(segments: list[Segment], packet: bytes | None) -> list[Segment]:
    """Put a packet that fits in the place of the existing one, or else after the leading segments."""
    if packet is None or len(XMP) + len(packet) > LARGEST_PAYLOAD:
        return segments
    existing = next((at for at, segment in enumerate(segments) if segment.holds(APP1, XMP)), None)
    place = _after_leading(segments) if existing is None else existing
    following = place if existing is None else place + 1
    return [*segments[:place], application_segment(APP1, XMP + packet), *segments[following:]]


def _after_leading(segments: list[Segment] | tuple[Segment, ...]) -> int:
    """Return the index behind the application segments that a file starts with."""
    others = (at for at, segment in enumerate(segments) if segment.marker not in _APPLICATION_SEGMENTS)
    return next(others, len(segments))
