"""Writing HDR images and previews; a target is replaced in one step or left as it was."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from headroom.errors import HeadroomError, OutputError
from headroom.files import atomic_path
from headroom.io import provenance
from headroom.io.formats import output_format
from headroom.io.gain_map_metadata import without_directory
from headroom.io.jpeg_metadata import fitted
from headroom.io.options import WriteOptions

if TYPE_CHECKING:
    from headroom.image import Hdr, Photo

_DEFAULTS = WriteOptions()


def write_hdr(
    hdr: Hdr,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 - the word of the command line
    options: WriteOptions = _DEFAULTS,
) -> tuple[str, ...]:
    """Write an HDR image, with its metadata, and its provenance in every container but PFM.

    Args:
        hdr: The image.
        path: Where to; its folder must exist.
        format: "exr", "hdr", "pfm", "tiff", "png", "avif", "jxl" or "ultra-hdr" (a gain-map JPEG); by the suffix where
            None.
        options: Choices of the containers.

    Returns:
        What does not fit into the file, in sentences; as a rule nothing.

    Raises:
        UsageError: No such format, or a photo of another size behind a gain-map JPEG.
        OutputError: It cannot be written; an older file there is untouched.
    """
    target = Path(path)
    container = output_format(target, format)
    writer = import_module(f"headroom.io.{container.module}")
    with _replacing(target) as temporary:
        writer.write(temporary, _labelled(hdr), options)
    if container.name == "pfm" and hdr.primaries != "bt709":
        return (f"PFM holds BT.709 only; colours of {hdr.primaries} outside of that are clipped",)
    if container.name == "ultra-hdr" and (hdr.photo is None or hdr.photo.original is None):
        return fitted((hdr.photo or hdr).metadata)[1]
    return ()


def write_photo(photo: Photo, path: str | os.PathLike[str], *, format: str | None = None) -> tuple[str, ...]:  # noqa: A002
    """Write a photo of 8 or 16 bits, with its metadata; an untouched JPEG photo as the bytes that it came from.

    Args:
        photo: The photo.
        path: Where to; its folder must exist.
        format: "jpeg", "png", "webp" or "tiff"; by the suffix where None.

    Returns:
        What does not fit into the file, in sentences; as a rule nothing.

    Raises:
        UsageError: No such format, or a depth or curve that it cannot hold.
        OutputError: It cannot be written; an older file there is untouched.
    """
    from headroom.io import sdr

    target = Path(path)
    container = sdr.checked_format(target, format, photo)
    with _replacing(target) as temporary:
        sdr.write(temporary, photo, container)
    return fitted(photo.metadata)[1] if container == "jpeg" and photo.original is None else ()


def write_preview(hdr: Hdr, path: str | os.PathLike[str]) -> None:
    """Write an 8-bit sRGB rendition, highlights rolled off by `headroom.colour.tone_mapping.filmic`, as PNG or JPEG.

    Raises:
        UsageError: A suffix other than .png, .jpg and .jpeg.
        OutputError: It cannot be written; an older file there is untouched.
    """
    from headroom.io import preview

    target = Path(path)
    container = preview.format_of(target)
    with _replacing(target) as temporary:
        preview.write(temporary, _labelled(hdr), container)


def _labelled(hdr: Hdr) -> Hdr:
    """Return the image with its provenance in its XMP, and without the directory of a gain map that stays behind."""
    existing = hdr.metadata.xmp
    packet = provenance.into_xmp(without_directory(existing) if existing else None, hdr.provenance)
    return dataclasses.replace(hdr, metadata=dataclasses.replace(hdr.metadata, xmp=packet))


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path to write to. A folder that bears no file is found before the work; errors name `target`.

    Raises:
        OutputError: The target cannot be written.
    """
    if not target.parent.is_dir():
        raise OutputError(f"{target}: there is no folder {target.parent}. Create it first.")
    if target.is_dir():
        raise OutputError(f"{target}: is a folder. Name a file in it.")
    with atomic_path(target) as temporary:
        temporary.touch()
        try:
            yield temporary
        except HeadroomError as error:
            raise type(error)(str(error).replace(os.fspath(temporary), os.fspath(target))) from error
