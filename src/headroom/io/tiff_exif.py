"""The EXIF block of a file that is a TIFF structure itself: TIFF, DNG and most other camera RAW."""

from __future__ import annotations

from headroom.io import exif_directories
from headroom.io.exif_directories import EXIF, GPS, Directory

# What a TIFF says about the picture rather than about its own layout: description, maker, model, orientation,
# resolution, software, date, artist, computer, rating, copyright, what Windows adds, and the two directories.
_PICTURE_TAGS = (
    270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 316, 18246, 18249, 33432,
    40091, 40092, 40093, 40094, 40095, EXIF, GPS,
)  # fmt: skip


def block(content: bytes) -> bytes | None:
    """Return an EXIF block of the tags that are about the picture, if there are any."""
    found = picture_tags(content)
    return exif_directories.block_of(found) if found else None


def picture_tags(content: bytes) -> Directory:
    """Return the tags of a TIFF file or an EXIF block that are about the picture."""
    return {tag: value for tag, value in exif_directories.parse(content).items() if tag in _PICTURE_TAGS}
