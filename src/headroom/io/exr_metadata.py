"""What OpenEXR says about a photo: standard attributes for the main facts of EXIF, and an XMP packet.

OpenEXR has no place for an EXIF block of its own. The packet is the attribute `xmp`, as GIMP and darktable write it;
their `exif` attribute, a block, is read too. Artists have no standard attribute and get OpenImageIO's.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from headroom.image import Metadata
from headroom.io import capture

_CAPTURE_DATE = "capDate"
# https://openexr.com/en/latest/StandardAttributes.html
_TEXTS = {
    "comments": "description",
    "cameraMake": "make",
    "cameraModel": "model",
    "cameraSerialNumber": "serial_number",
    "lensMake": "lens_make",
    "lensModel": "lens_model",
    "lensSerialNumber": "lens_serial_number",
    "Artist": "artist",
    "owner": "copyright",
    _CAPTURE_DATE: "taken",
}
_NUMBERS = {
    "expTime": "exposure_s",
    "aperture": "f_number",
    "isoSpeed": "iso",
    "nominalFocalLength": "focal_length_mm",
    "focus": "distance_m",
    "latitude": "latitude_deg",
    "longitude": "longitude_deg",
    "altitude": "altitude_m",
}
_XMP, _EXIF = "xmp", b"exif"
_UTC_OFFSET = "utcOffset"  # seconds from local time to UTC, so that east of Greenwich it is below 0
_HOURS_AND_MINUTES = re.compile(r"([+-])(\d\d):(\d\d)")
_BLOCK_START = b"Exif\0\0"


def to_attributes(metadata: Metadata) -> dict[str, str | float]:
    """Return the attributes to give to OpenImageIO, by name."""
    known = capture.from_exif(metadata.exif or b"").values()
    attributes = {name: known[field] for name, field in (_TEXTS | _NUMBERS).items() if field in known}
    if found := _HOURS_AND_MINUTES.fullmatch(str(known.get("utc_offset"))):
        sign, hours, minutes = found.groups()
        attributes[_UTC_OFFSET] = (-1.0 if sign == "+" else 1.0) * (int(hours) * 3600 + int(minutes) * 60)
    # By OpenImageIO's name, under which it would else state the present time; it leaves an empty text out.
    attributes["DateTime"] = attributes.pop(_CAPTURE_DATE, "")
    if metadata.xmp:
        attributes[_XMP] = metadata.xmp.decode("utf-8", "replace")
    return attributes


def from_attributes(attributes: Mapping[bytes, bytes]) -> Metadata:
    """Return the metadata in the raw attributes of a header: an EXIF block as it is, else one of the single facts."""
    _, start, block = attributes.get(_EXIF, b"").partition(_BLOCK_START)
    texts = {field: _text(attributes, name) for name, field in _TEXTS.items()}
    numbers = {field: _number(attributes, name) for name, field in _NUMBERS.items()}
    facts = capture.possible({**texts, **numbers, "utc_offset": _utc_offset(_number(attributes, _UTC_OFFSET))})
    return Metadata(
        exif=block if start else capture.to_exif(facts),
        xmp=attributes.get(_XMP.encode()) or None,
    )


def _text(attributes: Mapping[bytes, bytes], name: str) -> str:
    return attributes.get(name.encode(), b"").decode("utf-8", "replace")


def _number(attributes: Mapping[bytes, bytes], name: str) -> float | None:
    stored = attributes.get(name.encode(), b"")
    return float(struct.unpack("<f", stored)[0]) if len(stored) == 4 else None


def _utc_offset(seconds: float | None) -> str | None:
    if seconds is None or not abs(seconds) < 86_400:
        return None
    hours, minutes = divmod(round(abs(seconds) / 60), 60)
    return f"{'-' if seconds > 0 else '+'}{hours:02}:{minutes:02}"
