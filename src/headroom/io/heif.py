"""HEIC by libheif through pillow-heif, an optional package; photos, and HDR images in PQ or HLG. Read only."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from headroom.errors import MissingDependency
from headroom.image import Hdr, Photo
from headroom.io import child, still_picture
from headroom.io.facts import FileFacts
from headroom.io.still_header import StillHeader

_PIXEL_BYTES = 64


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the header says."""
    return still_picture.describe(path, content, "heif")


def read(path: Path, content: bytes) -> Photo | Hdr:
    """Return a photo with its gain map, or an HDR image where the curve is PQ or HLG; see `still_picture.read`.

    Raises:
        MissingDependency: pillow-heif is not installed.
    """
    if find_spec("pillow_heif") is None:
        raise MissingDependency(f"{path}: HEIC needs the package pillow-heif. Type: pip install 'headroom-hdr[heif]'")
    return still_picture.read(path, content, "heif", _decode)


def _decode(path: Path, content: bytes, header: StillHeader) -> tuple[NDArray[Any], int]:
    # libheif crops and turns the picture itself, and knows its depth where the header does not state it.
    decoded = child.decode(path, content, "heif", header.width, header.height, title="HEIC", pixel_bytes=_PIXEL_BYTES)
    return decoded.raster, decoded.facts["bit_depth"]
