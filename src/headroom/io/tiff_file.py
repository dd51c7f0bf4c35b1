"""TIFF files with what they say about their picture: ICC profile, XMP and the directories of EXIF."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from headroom.image import Metadata
from headroom.io import exif_directories, tiff_exif
from headroom.io.exif_directories import BYTE, UNDEFINED, Directory, Entry

XMP, ICC = 700, 34675
"""Tags."""


def write(path: Path, raster: NDArray[Any], metadata: Metadata, icc: bytes | None, *, compress: bool = True) -> None:
    """Write H x W x 3 as one picture, deflated if that is asked for; the profile is `icc`, not that of `metadata`."""
    import tifffile

    tifffile.imwrite(
        path,
        raster,
        byteorder="<",
        photometric="rgb",
        compression="adobe_deflate" if compress else None,
        predictor=compress,
        rowsperstrip=64,
        software="Headroom",
        metadata=None,
        maxworkers=1,
    )
    tags = tiff_exif.picture_tags(metadata.exif) if metadata.exif else {}
    if metadata.xmp:
        tags[XMP] = Entry(BYTE, metadata.xmp)
    if icc:
        tags[ICC] = Entry(UNDEFINED, icc)
    if tags:
        _extend(path, tags)


def _extend(path: Path, tags: Directory) -> None:
    """Write the file's directory anew behind its end, with more tags: tifffile writes no directories in it."""
    with path.open("r+b") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            own = exif_directories.parse(content)
        end = file.seek(0, 2)
        at = end + end % 2
        file.write(bytes(end % 2) + exif_directories.to_bytes(own | tags, at))
        file.seek(4)
        file.write(struct.pack("<I", at))
