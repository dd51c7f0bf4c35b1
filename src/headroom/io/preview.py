"""An 8-bit rendition of an HDR image for any screen, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from headroom.errors import UsageError
from headroom.image import Hdr
from headroom.io import sdr
from headroom.io.rendering import render

_Format = Literal["png", "jpeg"]
_FORMATS: dict[str, _Format] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg"}


def format_of(path: Path) -> _Format:
    """Return the format to write.

    Raises:
        UsageError: The suffix is that of no preview.
    """
    name = _FORMATS.get(path.suffix.lower())
    if name is None:
        raise UsageError(f"{path}: a preview is written as {', '.join(_FORMATS)}. Use one of these suffixes.")
    return name


def write(path: Path, hdr: Hdr, container: _Format) -> None:
    """Write the rendition, with the image's metadata."""
    sdr.write(path, render(hdr), container)
