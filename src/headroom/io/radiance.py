"""Radiance .hdr (G. Ward, "Real pixels", Graphics Gems II): a text header, a resolution line, RGBE scan lines."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headroom.colour.strips import strips
from headroom.errors import CorruptFile, UnsupportedFormat
from headroom.image import Encoding, FloatImage, Hdr, Metadata
from headroom.io import assemble, chromaticities, radiance_header, rgbe
from headroom.io.facts import FileFacts, stored_facts
from headroom.io.options import WriteOptions

_HEADER_BYTES = 65_536
_RESOLUTION = re.compile(rb"([-+])([XY]) (\d{1,10}) ([-+])([XY]) (\d{1,10})[ \t\r]*\n")
_XYZ = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3)  # XYZE is RGBE with the CIE's own primaries and white
# By the first axis, its sign and the other's: the orientation that EXIF would give the raster of lines.
_ORIENTATIONS = {
    "-Y+X": 1, "-Y-X": 2, "+Y-X": 3, "+Y+X": 4, "+X-Y": 5, "-X-Y": 6, "-X+Y": 7, "+X+Y": 8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Header:
    exposure: float
    primaries: tuple[float, ...] | None
    orientation: int
    line_width: int
    lines: int
    start: int
    exif: bytes | None
    provenance: Mapping[str, Any]


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the header says."""
    return _facts(path, content, _header(path, content))


def read(path: Path, content: bytes) -> Hdr:
    """Return the scene, divided by the EXPOSURE that the file was multiplied with.

    Raises:
        CorruptFile: The header or the scan lines are damaged.
        UnsupportedFormat: Pixels other than RGBE and XYZE.
    """
    header = _header(path, content)
    facts = _facts(path, content, header)
    try:
        packed = rgbe.unpack(content, header.start, header.line_width, header.lines)
    except CorruptFile as error:
        raise CorruptFile(f"{path}: {error}. Copy or download it again.") from error
    stored: FloatImage = np.empty((header.lines, header.line_width, 3), np.float32)
    for rows in strips(stored.shape):
        stored[rows] = rgbe.from_rgbe(packed[rows]) / np.float32(header.exposure)
    return assemble.scene(path, facts, chromaticities.to_known(stored, header.primaries))


def write(path: Path, hdr: Hdr, options: WriteOptions) -> None:  # noqa: ARG001 - every writer takes the options
    """Write run-length coded RGBE with the primaries; off by at most 1/256 of a pixel's largest channel.

    The provenance and the main facts of EXIF stand in the header; there is no place for XMP.
    """
    primaries = " ".join(f"{value:.4f}" for value in chromaticities.flat(hdr.primaries))
    about = radiance_header.lines(hdr.metadata.exif, hdr.provenance)
    header = ["#?RADIANCE", *about, "SOFTWARE=Headroom", f"PRIMARIES={primaries}", "FORMAT=32-bit_rle_rgbe", ""]
    with path.open("wb") as file:
        file.write("\n".join([*header, f"-Y {hdr.height} +X {hdr.width}\n"]).encode())
        for rows in strips(hdr.pixels.shape):
            file.write(rgbe.pack(rgbe.to_rgbe(hdr.pixels[rows])))


def _facts(path: Path, content: bytes, header: _Header) -> FileFacts:
    return stored_facts(
        path,
        container="hdr",
        kind="hdr",
        size=(header.line_width, header.lines),
        bit_depth=8,
        encoding=Encoding(chromaticities.in_memory(header.primaries), "linear"),
        metadata=Metadata(exif=header.exif),
        file_bytes=len(content),
        turn=header.orientation,
        provenance=header.provenance,
    )


def _header(path: Path, content: bytes) -> _Header:
    text, blank, _ = content[:_HEADER_BYTES].partition(b"\n\n")
    start = len(text) + len(blank)
    match = _RESOLUTION.match(content[start : start + 64])
    if match is None:
        raise CorruptFile(f"{path}: the Radiance header is damaged. Copy or download it again.")
    sign, axis, lines, other_sign, other_axis, width = (part.decode() for part in match.groups())
    orientation = _ORIENTATIONS.get(f"{sign}{axis}{other_sign}{other_axis}")
    if orientation is None:
        raise CorruptFile(f"{path}: the resolution line names the axis {axis} twice. Write the file again.")
    header = text.decode("utf-8", "replace").split("\n")
    exposure, primaries = _variables(path, header)
    start += match.end()
    about = radiance_header.exif(header), radiance_header.made(header)
    return _Header(exposure, primaries, orientation, int(width), int(lines), start, *about)


def _variables(path: Path, header: list[str]) -> tuple[float, tuple[float, ...] | None]:
    """Return the product of all exposures, and the primaries if the file names any."""
    exposure, primaries, kind = 1.0, None, "32-bit_rle_rgbe"
    for line in header[1:]:
        name, _, value = (part.strip() for part in line.partition("="))
        if name == "EXPOSURE":
            exposure *= float(value)
        elif name == "PRIMARIES":
            primaries = tuple(float(number) for number in value.split())
        elif name == "FORMAT":
            kind = value
    if not (math.isfinite(exposure) and exposure > 0) or (primaries is not None and len(primaries) != 8):
        raise CorruptFile(f"{path}: impossible EXPOSURE or PRIMARIES in the Radiance header. Correct or remove them.")
    if kind == "32-bit_rle_xyze":
        return exposure, _XYZ
    if kind != "32-bit_rle_rgbe":
        raise UnsupportedFormat(f"{path}: Radiance pixels of the kind {kind[:40]!r} are not read. Convert it to RGBE.")
    return exposure, primaries
