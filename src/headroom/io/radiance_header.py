"""What the text of a Radiance .hdr header says about a photo.

Radiance has variables for the camera, the time, the place and the owner. A comment holds all of the main facts of EXIF
as JSON, another the provenance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headroom.io import capture, provenance

_EXIF, _PROVENANCE = "# EXIF: ", "# Headroom: "
_LONGEST_TEXT = 200  # in a line, which programs read up to 2 or 4 KiB
_READ_AT_ONCE = 128


def lines(exif: bytes | None, made: Mapping[str, Any]) -> list[str]:
    """Return the lines for an EXIF block and a provenance."""
    known = capture.from_exif(exif or b"").values()
    known = {name: value for name, value in known.items() if len(str(value)) <= _LONGEST_TEXT}
    comments = [start + provenance.to_text(facts) for start, facts in ((_PROVENANCE, made), (_EXIF, known)) if facts]
    variables = [f"{name}= {' '.join(text.split())}" for name, text in _variables(known).items() if text]
    return [_padded(line) for line in comments + variables]


def exif(header: Sequence[str]) -> bytes | None:
    """Return an EXIF block of what the lines of a header say, if there is anything."""
    facts = provenance.from_text(_after(header, _EXIF))
    if not facts:
        place = dict(zip(("latitude_deg", "longitude_deg"), _numbers(_after(header, "LATLONG=")), strict=False))
        names = {"model": "CAMERA=", "taken": "CAPDATE=", "copyright": "OWNER="}
        facts = {**place, **{name: _after(header, start) for name, start in names.items()}}
    return capture.to_exif(capture.possible(facts))


def made(header: Sequence[str]) -> dict[str, Any]:
    """Return the provenance, or nothing."""
    return provenance.from_text(_after(header, _PROVENANCE))


def _variables(known: Mapping[str, str | float]) -> dict[str, str]:
    place = [f"{known[name]:.6f}" for name in ("latitude_deg", "longitude_deg") if name in known]
    return {
        "CAMERA": " ".join(str(known[name]) for name in ("make", "model") if name in known),
        "CAPDATE": str(known.get("taken", "")),
        "LATLONG": " ".join(place) if len(place) == 2 else "",
        "OWNER": str(known.get("copyright", "")),
    }


def _padded(line: str) -> str:
    """Return a line whose end is none of the places at which OpenImageIO cuts: what follows would look empty."""
    return line if len(line.encode()) % _READ_AT_ONCE else line + " "


def _after(header: Sequence[str], start: str) -> str:
    return next((line.removeprefix(start).strip() for line in header if line.startswith(start)), "")


def _numbers(text: str) -> list[float]:
    try:
        return [float(number) for number in text.split()]
    except ValueError:
        return []
