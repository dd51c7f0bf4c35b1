"""An 8-bit rendition of an HDR image for any screen, as a file."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from headroom.errors import UsageError
from headroom.image import Hdr
from headroom.io import provenance
from headroom.io.rendering import render

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def format_of(path: Path) -> str:
    """Return Pillow's name of the format to write.

    Raises:
        UsageError: The suffix is that of no preview.
    """
    name = _FORMATS.get(path.suffix.lower())
    if name is None:
        raise UsageError(f"{path}: a preview is written as {', '.join(_FORMATS)}. Use one of these suffixes.")
    return name


def write(path: Path, hdr: Hdr, image_format: str) -> None:
    """Write the rendition as "PNG" or "JPEG", with the provenance."""
    packet = provenance.into_xmp(None, hdr.provenance) or b""
    chunks = PngInfo()
    if packet:
        chunks.add_itxt("XML:com.adobe.xmp", packet.decode())
    Image.fromarray(render(hdr).codes).save(path, image_format, quality=92, subsampling=0, xmp=packet, pnginfo=chunks)
