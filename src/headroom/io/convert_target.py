"""What the suffix of a conversion's target stands for: formats for HDR images, for photos, or for both."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from headroom.errors import UsageError
from headroom.io import sdr
from headroom.io.formats import FORMATS, ContainerFormat

_Kind = Literal["hdr", "photo"]
# Bits of a channel that can be asked for when an HDR image is written.
_HDR_DEPTHS: dict[str, tuple[int, ...]] = {
    "exr": (16, 32),
    "tiff": (32,),
    "pfm": (32,),
    "ultra-hdr": (8,),
    "png": (16,),
    "avif": (10, 12),
    "jxl": (32,),
}


def target_formats(path: Path, bit_depth: int | None) -> dict[_Kind, ContainerFormat]:
    """Return what a suffix stands for when an HDR image is written in this depth, and when a photo is.

    Raises:
        UsageError: It stands for nothing, or not in this depth.
    """
    hdr = {name: _HDR_DEPTHS.get(name, ()) for name, entry in FORMATS.items() if entry.writes_hdr}
    tables: dict[_Kind, dict[str, tuple[int, ...]]] = {"hdr": hdr, "photo": sdr.DEPTHS}
    choices = [(kind, FORMATS[name], depths) for kind, table in tables.items() for name, depths in table.items()]
    named = [choice for choice in choices if path.suffix.lower() in choice[1].suffixes]
    found = {kind: entry for kind, entry, depths in named if bit_depth is None or bit_depth in depths}
    if found:
        return found
    if not named:
        known = ", ".join(dict.fromkeys(entry.suffixes[0] for _, entry, _ in choices))
        raise UsageError(f"{path}: the suffix names no format that is written. Use one of {known}.")
    bits = " or ".join(str(depth) for depth in sorted({depth for _, _, depths in named for depth in depths}))
    if not bits:
        raise UsageError(f"{path}: {named[0][1].title} leaves no choice of a depth. Leave it out.")
    raise UsageError(f"{path}: is written in {bits} bits, not in {bit_depth}. Choose another depth.")
