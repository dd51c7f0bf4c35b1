"""PFM: three lines of text, then rows of float32 from the bottom up (P. Debevec's format; grey as `Pf`)."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headroom.colour.primaries import convert
from headroom.colour.strips import strips
from headroom.errors import CorruptFile
from headroom.image import Encoding, Hdr, Metadata
from headroom.io import assemble
from headroom.io.facts import FileFacts, stored_facts
from headroom.io.options import WriteOptions

_HEADER = re.compile(rb"(P[Ff])\s+(\d{1,10})\s+(\d{1,10})\s+([-+0-9.eE]{1,32})[ \t\r]*\n")


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the three lines say."""
    return _header(path, content)[0]


def read(path: Path, content: bytes) -> Hdr:
    """Return the scene; the magnitude of the scale line multiplies it, its sign gives the byte order."""
    facts, channels, scale, start = _header(path, content)
    shape = (facts.height, facts.width, channels)
    if len(content) - start < 4 * math.prod(shape):
        raise CorruptFile(f"{path}: the PFM data break off. Copy or download it again.")
    order = "<f4" if scale < 0 else ">f4"
    rows = np.frombuffer(content, order, math.prod(shape), start).reshape(shape)
    pixels: NDArray[np.float32] = rows[::-1].astype(np.float32)
    if abs(scale) != 1:
        pixels *= np.float32(abs(scale))
    return assemble.scene(path, facts, pixels)


def write(path: Path, hdr: Hdr, options: WriteOptions) -> None:  # noqa: ARG001 - every writer takes the options
    """Write little-endian float32 in BT.709 primaries, since PFM can name no others."""
    with path.open("wb") as file:
        file.write(f"PF\n{hdr.width} {hdr.height}\n-1.0\n".encode())
        for rows in reversed(list(strips(hdr.pixels.shape))):
            linear = np.maximum(convert(hdr.pixels[rows], hdr.primaries, "bt709"), 0)
            file.write(linear[::-1].astype("<f4").tobytes())


def _header(path: Path, content: bytes) -> tuple[FileFacts, int, float, int]:
    """Return the facts, the number of channels, the scale and the offset of the pixels."""
    match = _HEADER.match(content[:128])
    if match is None:
        raise CorruptFile(f"{path}: the PFM header is damaged. Copy or download it again.")
    kind, width, height, scale = match.groups()
    if not math.isfinite(float(scale)) or float(scale) == 0:
        raise CorruptFile(f"{path}: a PFM scale of {float(scale)}, which is impossible. Write the file again.")
    facts = stored_facts(
        path,
        container="pfm",
        kind="hdr",
        size=(int(width), int(height)),
        bit_depth=32,
        encoding=Encoding(transfer="linear"),
        metadata=Metadata(),
        file_bytes=len(content),
    )
    return facts, 3 if kind == b"PF" else 1, float(scale), match.end()
