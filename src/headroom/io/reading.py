"""Reading any supported file; the content decides what it is. The decoders are loaded when they are needed."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from headroom.errors import UnsupportedFormat
from headroom.io.guard import decoding, load

if TYPE_CHECKING:
    from headroom.image import Hdr, Photo
    from headroom.io.facts import FileFacts


def read(path: str | os.PathLike[str]) -> Photo | Hdr:
    """Read a photo; or an `Hdr` from OpenEXR, Radiance .hdr, PFM, camera RAW, other floats, and codes in PQ or HLG.

    Raises:
        UnsupportedFormat: A kind of file that is not read; the message names it and says what to do.
        CorruptFile: Damaged or truncated.
        LimitExceeded: Larger than `headroom.limits` allows; found before a pixel is decoded.
        InputError: There is no such file, or it cannot be opened.
        InsufficientMemory: It does not fit into memory.
    """
    return _read(Path(path), "read")


def read_photo(path: str | os.PathLike[str]) -> Photo:
    """Read a photo: JPEG, PNG, WebP, AVIF, HEIC, JPEG XL or TIFF of integers; upright, in its own code values.

    Camera RAW, which `read` turns into light, is the codes of its sensor here.

    Raises:
        UnsupportedFormat: As `read`, and a file that holds linear light.
        InputError: As `read`.
        InsufficientMemory: As `read`.
    """
    from headroom.image import Photo

    result = _read(Path(path), "read_photo")
    if not isinstance(result, Photo):
        raise UnsupportedFormat(f"{os.fspath(path)}: an HDR image already, not a photo. Give an 8- or 16-bit photo.")
    return result


def read_hdr(path: str | os.PathLike[str]) -> Hdr:
    """Read linear light: OpenEXR, Radiance .hdr, PFM, camera RAW, other floats, and codes in PQ or HLG.

    Floats stay as stored: 1.0 counts as SDR white.

    Raises:
        UnsupportedFormat: As `read`, and a file that holds a photo.
        InputError: As `read`.
        InsufficientMemory: As `read`.
    """
    from headroom.image import Hdr

    result = read(path)
    if not isinstance(result, Hdr):
        raise UnsupportedFormat(f"{os.fspath(path)}: a photo, not an HDR image. Expand it first.")
    return result


def describe(path: str | os.PathLike[str]) -> FileFacts:
    """Return size, depth, encoding and metadata of a file without decoding its pixels.

    Raises:
        InputError: As `read`.
    """
    source = Path(path)
    container, content = load(source)
    with decoding(source, container):
        facts: FileFacts = import_module(f"headroom.io.{container.module}").describe(source, content)
    return facts


def _read(source: Path, function: str) -> Photo | Hdr:
    """Read by the function of this name where the container's module has it, else by the one for all it holds."""
    container, content = load(source)
    with decoding(source, container):
        module = import_module(f"headroom.io.{container.module}")
        result: Photo | Hdr = getattr(module, function, module.read)(source, content)
    return result
