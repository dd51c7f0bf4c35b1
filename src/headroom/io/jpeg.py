"""JPEG photos, by Pillow, with their gain maps; of files with several pictures otherwise the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from headroom.errors import UnsupportedFormat
from headroom.image import GainMap, Photo
from headroom.io import assemble, profile
from headroom.io.facts import FileFacts, stored_facts
from headroom.io.gain_map_jpeg import read_gain_map_jpeg


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the markers before the scan say."""
    return _facts(path, content, _open(path, content))


def read(path: Path, content: bytes) -> Photo:
    """Return the photo, with its bytes as `original`.

    Raises:
        UnsupportedFormat: CMYK.
    """
    image = _open(path, content)
    facts = _facts(path, content, image)
    photo = assemble.photo(path, facts, np.asarray(image), original=content)
    return assemble.with_gain_map(photo, lambda: _gain_map(content))


def lossy_step(tables: Mapping[int, Sequence[int]]) -> float:
    """Estimate the largest error of a code near clipped, that is smooth, parts from the quantisation tables.

    There a block has its energy in the mean and the slowest horizontal and vertical cosine. Rounding each moves it by
    at most half its step q, and one unit of these coefficients is worth 1/8 and sqrt(2)/8 of a code at most (T.81,
    A.3.3). Their sum for the luma table and 1 for the rounding of colours, at most 6. From quality 50 to 100 that is
    within a code and a half of the error that 90 % of the clipped codes of noisy smooth pictures stay below.
    """
    table = tables.get(0) or [1] * 64
    mean, horizontal, vertical = table[0], table[1], table[8]
    return float(min(1 + (mean + 2**0.5 * (horizontal + vertical)) / 16, 6.0))


def _gain_map(content: bytes) -> GainMap | None:
    found = read_gain_map_jpeg(content)
    return found[1] if found else None


def _open(path: Path, content: bytes) -> JpegImageFile:
    # The class itself instead of Image.open: no other format is tried, and the size limit is ours alone.
    image = JpegImageFile(BytesIO(content))
    if image.mode not in {"L", "RGB"}:
        raise UnsupportedFormat(f"{path}: {image.mode} JPEG is not read. Convert it to RGB first.")
    return image


def _facts(path: Path, content: bytes, image: JpegImageFile) -> FileFacts:
    metadata = assemble.blocks_of(image)
    return stored_facts(
        path,
        container="jpeg",
        kind="photo",
        size=image.size,
        bit_depth=8,
        encoding=profile.encoding_of(metadata),
        metadata=metadata,
        file_bytes=len(content),
        lossy_step=lossy_step(image.quantization),
    )
