"""The EXIF block of a file that is a TIFF structure itself: TIFF, DNG and most other camera RAW."""

from __future__ import annotations

_EXIF_DIRECTORY, _GPS_DIRECTORY = 34665, 34853
# What a TIFF says about the picture rather than about its own layout: description, maker, model, orientation, dates,
# artist, copyright and the two directories.
_PICTURE_TAGS = (270, 271, 272, 274, 305, 306, 315, 33432, _EXIF_DIRECTORY, _GPS_DIRECTORY)


def block(content: bytes) -> bytes | None:
    """Return an EXIF block of the tags that are about the picture, if there are any; none for a BigTIFF."""
    from PIL import Image

    if content[2:4] not in {b"*\0", b"\0*"}:
        return None
    found, kept = Image.Exif(), Image.Exif()
    found.load(content)
    for tag in _PICTURE_TAGS:
        if tag in found:
            kept[tag] = found.get_ifd(tag) if tag in {_EXIF_DIRECTORY, _GPS_DIRECTORY} else found[tag]
    return kept.tobytes().removeprefix(b"Exif\0\0") if kept else None
