"""HEIC by libheif through pillow-heif, an optional package; photos, and HDR images in PQ or HLG. Read only."""

from __future__ import annotations

import dataclasses
from importlib.util import find_spec
from pathlib import Path

from headroom.errors import MissingDependency
from headroom.image import Hdr, Photo
from headroom.io import assemble, child, still_gain_map, still_picture
from headroom.io.facts import FileFacts

_PIXEL_BYTES = 64


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the header says."""
    return still_picture.facts(path, content, "heif")


def read(path: Path, content: bytes) -> Photo | Hdr:
    """Return a photo with its gain map, or an HDR image where the curve is PQ or HLG.

    Alpha is dropped; of several pictures the primary one is read.

    Raises:
        MissingDependency: pillow-heif is not installed.
        CorruptFile: Damaged, or the decoder crashed on it or took too long.
    """
    facts = describe(path, content)
    if find_spec("pillow_heif") is None:
        raise MissingDependency(f"{path}: HEIC needs the package pillow-heif. Type: pip install 'headroom-hdr[heif]'")
    decoded = child.decode(path, content, "heif", facts.width, facts.height, title="HEIC", pixel_bytes=_PIXEL_BYTES)
    # libheif turns the picture itself, and knows its depth where the header does not state it.
    facts = dataclasses.replace(facts, orientation=1, bit_depth=decoded.facts["bit_depth"])
    picture = assemble.picture(path, facts, decoded.raster)
    if isinstance(picture, Hdr):
        return picture
    return assemble.with_gain_map(picture, lambda: still_gain_map.read(path, content, "heif", facts.metadata.exif))
