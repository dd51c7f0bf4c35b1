"""When, where and with what a photo was taken: the part of EXIF that containers without EXIF have names for."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headroom.io import exif_directories
from headroom.io.exif_directories import (
    BYTE,
    EXIF,
    GPS,
    SHORT,
    UNDEFINED,
    Directory,
    Entry,
    ratios_entry,
    text_entry,
)


@dataclass(frozen=True, slots=True)
class Capture:
    """Facts of one exposure; None for what is not known.

    Attributes:
        description: What the picture shows.
        make: Maker of the camera.
        model: Camera.
        serial_number: Of the camera's body.
        lens_make: Maker of the lens.
        lens_model: Lens.
        lens_serial_number: Of the lens.
        artist: Who took it.
        copyright: Whose it is.
        taken: Local time, as "YYYY:MM:DD hh:mm:ss".
        utc_offset: Of that time from UTC, such as "+01:00".
        exposure_s: Exposure time.
        f_number: F-number.
        iso: Sensitivity.
        focal_length_mm: Focal length.
        distance_m: Distance of the subject.
        latitude_deg: Degrees north of the equator.
        longitude_deg: Degrees east of Greenwich.
        altitude_m: Height above sea level.
    """

    description: str | None = None
    make: str | None = None
    model: str | None = None
    serial_number: str | None = None
    lens_make: str | None = None
    lens_model: str | None = None
    lens_serial_number: str | None = None
    artist: str | None = None
    copyright: str | None = None
    taken: str | None = None
    utc_offset: str | None = None
    exposure_s: float | None = None
    f_number: float | None = None
    iso: float | None = None
    focal_length_mm: float | None = None
    distance_m: float | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_m: float | None = None

    def values(self) -> dict[str, str | float]:
        """Return what is known, by name."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


# Where EXIF 3.0 (CIPA DC-008) has the fields but for the position: directory and tag; the numbers are in EXIF's own.
_TEXTS = {
    "description": (None, 0x010E),
    "make": (None, 0x010F),
    "model": (None, 0x0110),
    "artist": (None, 0x013B),
    "copyright": (None, 0x8298),
    "serial_number": (EXIF, 0xA431),
    "lens_make": (EXIF, 0xA433),
    "lens_model": (EXIF, 0xA434),
    "lens_serial_number": (EXIF, 0xA435),
    "taken": (EXIF, 0x9003),
    "utc_offset": (EXIF, 0x9011),
}
_NUMBERS = {"exposure_s": 0x829A, "f_number": 0x829D, "iso": 0x8827, "focal_length_mm": 0x920A, "distance_m": 0x9206}
_CHANGED = 0x0132  # the date that some programs alone leave
_VERSION, _VERSION_3 = 0x9000, Entry(UNDEFINED, b"0300")
_LATITUDE, _LONGITUDE, _ALTITUDE = 2, 4, 6  # each with its sign in the tag before
_BELOW_THE_SEA = ([1.0], [3.0])  # by the levels of EXIF 2.3 and 3.0
_SMALLEST, _LARGEST = 1e-6, 4e9  # 0 stands for unknown, 2**32 - 1 for infinite
_RANGES = {
    **dict.fromkeys(_NUMBERS, (_SMALLEST, _LARGEST)),
    "iso": (1, 65_535),
    "latitude_deg": (-90, 90),
    "longitude_deg": (-180, 180),
    "altitude_m": (-1e5, 1e8),
}


def possible(values: Mapping[str, object]) -> Capture:
    """Return those of named values that can be true: a file may state anything."""
    known: dict[str, Any] = {}
    for name in _TEXTS:
        value = values.get(name)
        text = value.partition("\0")[0].strip() if isinstance(value, str) else ""
        if text:
            known[name] = text
    for name, (least, most) in _RANGES.items():
        number = values.get(name)
        if isinstance(number, float | int) and least <= number <= most:
            known[name] = float(number)
    return Capture(**known)


def from_exif(block: bytes) -> Capture:
    """Return the facts in an EXIF block."""
    top = exif_directories.parse(block)
    found: dict[str, object] = {"taken": _text(top, _CHANGED)}
    for name, (directory, tag) in _TEXTS.items():
        found[name] = _text(_inner(top, directory), tag) or found.get(name)
    for name, tag in _NUMBERS.items():
        found[name] = next(iter(_numbers(_inner(top, EXIF), tag)), None)
    position = _inner(top, GPS)
    found["latitude_deg"] = _degrees(position, _LATITUDE, "S")
    found["longitude_deg"] = _degrees(position, _LONGITUDE, "W")
    for height in _numbers(position, _ALTITUDE)[:1]:
        found["altitude_m"] = -height if _numbers(position, _ALTITUDE - 1) in _BELOW_THE_SEA else height
    return possible(found)


def to_exif(capture: Capture) -> bytes | None:
    """Return an EXIF block of the facts, if there are any."""
    values = capture.values()
    top: Directory = {}
    inner: Directory = {}
    for name, (directory, tag) in _TEXTS.items():
        if name in values:
            (top if directory is None else inner)[tag] = text_entry(str(values[name]))
    for name, tag in _NUMBERS.items():
        if name in values:
            number = float(values[name])
            inner[tag] = Entry(SHORT, struct.pack("<H", round(number))) if name == "iso" else ratios_entry([number])
    if inner:
        top[EXIF] = {_VERSION: _VERSION_3, **inner}
    if position := _position(capture):
        top[GPS] = position
    return exif_directories.block_of(top) if top else None


def _inner(top: Directory, tag: int | None) -> Directory:
    found = top if tag is None else top.get(tag)
    return found if isinstance(found, dict) else {}


def _text(directory: Directory, tag: int) -> str:
    found = directory.get(tag)
    return found.text if isinstance(found, Entry) else ""


def _numbers(directory: Directory, tag: int) -> list[float]:
    found = directory.get(tag)
    return found.numbers if isinstance(found, Entry) else []


def _degrees(position: Directory, tag: int, negative: str) -> float | None:
    """Return degrees, minutes and seconds as degrees."""
    parts = _numbers(position, tag)
    degrees = sum(part / 60**i for i, part in enumerate(parts[:3]))
    sign = -1 if _text(position, tag - 1).upper().startswith(negative) else 1
    return sign * degrees if parts else None


def _position(capture: Capture) -> Directory:
    position: Directory = {}
    for degrees, tag, signs in (
        (capture.latitude_deg, _LATITUDE, "NS"),
        (capture.longitude_deg, _LONGITUDE, "EW"),
    ):
        if degrees is not None:
            minutes, ten_thousandths = divmod(round(abs(degrees) * 36_000_000), 600_000)
            position[tag - 1] = text_entry(signs[degrees < 0])
            position[tag] = ratios_entry([*divmod(minutes, 60), ten_thousandths / 10_000])
    if capture.altitude_m is not None:
        position[_ALTITUDE - 1] = Entry(BYTE, bytes([capture.altitude_m < 0]))
        position[_ALTITUDE] = ratios_entry([abs(capture.altitude_m)])
    return position
