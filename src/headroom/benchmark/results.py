"""Finding the result of an image in a folder that any tool may have written."""

from __future__ import annotations

from pathlib import Path

from headroom.errors import DataError
from headroom.image import Hdr, Photo
from headroom.io import read
from headroom.io.formats import FORMATS

# Light comes before codes, and the exact containers first: where a result lies there twice, theirs is the one to take.
_CONTAINERS = ("exr", "pfm", "tiff", "hdr", "jxl", "avif", "png", "jpeg", "webp")
_SUFFIXES = tuple(suffix for name in _CONTAINERS for suffix in FORMATS[name].suffixes)


def read_result(folder: Path, stem: str) -> Hdr | Photo:
    """Read the result of this stem: light from OpenEXR, Radiance, PFM, float TIFF, PQ and HLG; else an SDR picture.

    Raises:
        DataError: There is none.
        InputError: It cannot be read.
    """
    for suffix in _SUFFIXES:
        if (path := folder / f"{stem}{suffix}").is_file():
            return read(path)
    raise DataError(f"{folder / stem}: no result of this name. Add it as one of {', '.join(_SUFFIXES)}.")


def result_names(folder: Path) -> set[str]:
    """Give the stems of all results in a folder."""
    return {path.stem for path in folder.glob("[!.]*") if path.suffix.lower() in _SUFFIXES}
