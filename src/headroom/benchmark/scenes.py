"""Finding an HDR image by its stem: a truth, or a result of any tool."""

from __future__ import annotations

from pathlib import Path

from headroom.errors import DataError
from headroom.image import Hdr
from headroom.io import read_hdr
from headroom.io.formats import FORMATS

# The exact containers come first: where an image lies there twice, theirs is the one to take.
_SUFFIXES = tuple(suffix for name in ("exr", "pfm", "tiff", "hdr") for suffix in FORMATS[name].suffixes)


def read_scene(folder: Path, stem: str) -> Hdr:
    """Read the HDR image of this stem, whichever container it is in.

    Raises:
        DataError: There is none.
        InputError: It cannot be read.
    """
    if files := scene_files(folder, stem):
        return read_hdr(files[0])
    raise DataError(f"{folder / stem}: no HDR image of this name. Add it as one of {', '.join(_SUFFIXES)}.")


def scene_files(folder: Path, stem: str) -> list[Path]:
    """Find the HDR images of this stem, the one to take first."""
    return [path for suffix in _SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()]
