"""Data set `pairs:FOLDER`: photo files, each with its scene in an HDR file of the same stem."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from headroom.benchmark.item import Item
from headroom.benchmark.scenes import read_scene, scene_files
from headroom.errors import DataError
from headroom.io import read_photo
from headroom.io.formats import FORMATS

_PHOTO_SUFFIXES = {
    suffix
    for container in FORMATS.values()
    if container.reads in {"photo", "either"} and container.name != "tiff"
    for suffix in container.suffixes
}


def pair_items(folder: Path) -> list[Item]:
    """Give the photos of a folder, in the order of their names. A TIFF is a scene, never a photo.

    Raises:
        DataError: There is no photo, or two have the same stem.
    """
    photos = sorted(path for path in folder.glob("[!.]*") if path.suffix.lower() in _PHOTO_SUFFIXES)
    if not photos:
        raise DataError(f"{folder}: holds no photo. Put JPEG or PNG files into it.")
    by_stem = {path.stem: path for path in photos}
    if twice := [path for path in photos if by_stem[path.stem] != path]:
        raise DataError(f"{twice[0]}: another photo has the same stem. Rename one of the two.")
    return [
        Item(stem, partial(read_photo, path), partial(read_scene, folder, stem), (path, *scene_files(folder, stem)))
        for stem, path in by_stem.items()
    ]
