"""Taking the position out of a photo's metadata, and nothing else."""

from __future__ import annotations

import dataclasses
import re
from typing import TypeVar

from headroom.image import Hdr, Photo
from headroom.io import exif
from headroom.io.jpeg_segments import APP1, EXIF, XMP, Jpeg, Segment, application_segment, parse_jpeg

_Image = TypeVar("_Image", bound=Photo | Hdr)

# Properties such as exif:GPSLatitude or drone-dji:GpsLongitude, as attributes or as elements.
_PROPERTY = re.compile(
    rb"""(?<!\s)\s+[\w.-]+:gps\w*\s*=\s*(?:"[^"]*"|'[^']*')|<([\w.-]+:gps\w*)(?:\s*/>|>[^<]*</\1>)""", re.IGNORECASE
)
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENSION_HEADER = len(_EXTENDED_XMP) + 40  # a digest of the whole, its length, and this part's offset


def without_gps(image: _Image) -> _Image:
    """Return a photo, or an HDR image and the photo behind it, without position in EXIF and XMP.

    So are the bytes of a JPEG photo; what follows the end of its picture, such as previews, is left out of them.
    """
    metadata = dataclasses.replace(
        image.metadata,
        exif=exif.without_gps(image.metadata.exif) if image.metadata.exif else None,
        xmp=xmp_without_gps(image.metadata.xmp) if image.metadata.xmp else None,
    )
    image = dataclasses.replace(image, metadata=metadata)
    if isinstance(image, Hdr):
        return dataclasses.replace(image, photo=without_gps(image.photo) if image.photo else None)
    return dataclasses.replace(image, original=_jpeg_without_gps(image.original) if image.original else None)


def xmp_without_gps(packet: bytes) -> bytes:
    """Return the packet without properties whose name starts with GPS."""
    return _PROPERTY.sub(b"", packet)


def _jpeg_without_gps(data: bytes) -> bytes:
    jpeg = parse_jpeg(data)
    extensions = [segment for segment in jpeg.segments if segment.holds(APP1, _EXTENDED_XMP)]
    segments = jpeg.segments
    if _PROPERTY.search(b"".join(segment.payload[_EXTENSION_HEADER:] for segment in extensions)):
        # An extension cannot be edited, as its digest is its name.
        segments = tuple(segment for segment in segments if segment not in extensions)
    return Jpeg(tuple(map(_segment, segments)), jpeg.scans).to_bytes()


def _segment(segment: Segment) -> Segment:
    if segment.holds(APP1, EXIF):
        changed = EXIF + exif.without_gps(segment.payload[len(EXIF) :])
    elif segment.holds(APP1, XMP):
        changed = XMP + xmp_without_gps(segment.payload[len(XMP) :])
    else:
        return segment
    return segment if changed == segment.payload else application_segment(APP1, changed)
