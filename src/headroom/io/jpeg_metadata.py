"""EXIF and XMP for JPEG, in which each of them has one segment of 64 KiB."""

from __future__ import annotations

from headroom.image import Metadata
from headroom.io import exif_directories, provenance
from headroom.io.exif import has_thumbnail
from headroom.io.exif_directories import Directory, Entry

_MOST_EXIF_BYTES = 65_500
_MOST_XMP_BYTES = 60_000  # the entries of a gain map and the provenance are to fit too
_MAKER_NOTE = 0x927C
_ENTRY_BYTES = 12


def fitted(metadata: Metadata) -> tuple[Metadata, tuple[str, ...]]:
    """Return what fits into JPEG segments, and in sentences what does not.

    A block that is too large loses its thumbnail first, then the maker note, then its largest entries. A packet that
    is too large is left out but for the provenance.
    """
    exif, xmp = metadata.exif, metadata.xmp
    notes = []
    if exif is not None and len(exif) > _MOST_EXIF_BYTES:
        exif, lost = _smaller(exif)
        notes.append(f"EXIF is larger than a JPEG segment; left out: {lost}")
    if xmp is not None and len(xmp) > _MOST_XMP_BYTES:
        xmp = provenance.into_xmp(None, provenance.from_xmp(xmp))
        notes.append("XMP is larger than a JPEG segment; left out: all but the provenance")
    return Metadata(exif, xmp, metadata.icc), tuple(notes)


def _smaller(exif: bytes) -> tuple[bytes | None, str]:
    """Return a block that fits, and in words what it lacks."""
    top = exif_directories.parse(exif)
    size = len(exif_directories.block_of(top))
    lost = ["the thumbnail"] if has_thumbnail(exif) else []
    for directory, tag, entry in _by_dispensability(top):
        if size <= _MOST_EXIF_BYTES:
            break
        del directory[tag]
        size -= _ENTRY_BYTES + (len(entry.data) + len(entry.data) % 2 if len(entry.data) > 4 else 0)
        lost.append("the maker note" if tag == _MAKER_NOTE else f"tag {tag:#06x}")
    return exif_directories.block_of(top) if top else None, ", ".join(lost) if top else "all of it, which is damaged"


def _by_dispensability(top: Directory) -> list[tuple[Directory, int, Entry]]:
    """Return all entries with their directories: the maker note, then from large to small."""
    entries: list[tuple[Directory, int, Entry]] = []
    directories = [top]
    for directory in directories:
        for tag, value in directory.items():
            if isinstance(value, Entry):
                entries.append((directory, tag, value))
            else:
                directories.append(value)
    return sorted(entries, key=lambda place: (place[1] != _MAKER_NOTE, -len(place[2].data)))
