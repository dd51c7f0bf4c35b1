"""What becomes of EXIF and XMP that are larger than a JPEG segment, as exifread and Pillow see it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import exifread
import numpy as np
import pytest
from exif_blocks import with_thumbnail
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from headroom.image import Hdr, Metadata, Photo
from headroom.io import exif_directories, write_hdr, write_photo
from headroom.io.exif_directories import EXIF, UNDEFINED, Directory, Entry, block_of, parse, text_entry
from headroom.io.jpeg_metadata import fitted
from headroom.io.provenance import from_xmp, into_xmp

MADE = {"method": "linear"}


def exif(*, maker_note: int = 100, comment: int = 100, thumbnail: int = 0) -> bytes:
    """Return a block whose parts have these sizes."""
    inner: Directory = {
        0x9003: text_entry("2026:11:21 08:00:00"),
        0x927C: Entry(UNDEFINED, bytes(maker_note)),
        0x9286: Entry(UNDEFINED, b"ASCII\0\0\0" + b"c" * comment),
    }
    block = block_of({0x010F: text_entry("A maker"), 0x0112: Entry(3, b"\1\0"), EXIF: inner})
    return with_thumbnail(block, bytes(thumbnail)) if thumbnail else block


def test_what_fits_stays_byte_for_byte() -> None:
    metadata = Metadata(exif=exif(maker_note=30_000, thumbnail=30_000), xmp=bytes(60_000), icc=bytes(900_000))
    assert fitted(metadata) == (metadata, ())


@pytest.mark.parametrize(
    ("sizes", "lost"),
    [
        ({"thumbnail": 40_000, "maker_note": 40_000}, "the thumbnail"),
        ({"thumbnail": 40_000, "maker_note": 70_000}, "the thumbnail, the maker note"),
        ({"maker_note": 66_000}, "the maker note"),
        ({"maker_note": 1000, "comment": 70_000}, "the maker note, tag 0x9286"),
    ],
)
def test_the_least_is_lost(sizes: dict[str, int], lost: str) -> None:
    whole = exif(**sizes)
    metadata, notes = fitted(Metadata(exif=whole))
    assert metadata.exif is not None
    assert len(metadata.exif) <= 65_500
    assert [note.partition("left out: ")[2] for note in notes] == [lost]
    before, after = (exifread.process_file(BytesIO(block), details=False) for block in (whole, metadata.exif))
    kept = {"Image Make", "Image Orientation", "EXIF DateTimeOriginal"}
    assert {name: str(before[name]) for name in kept} == {name: str(after[name]) for name in kept}
    assert ("maker" not in lost) == (0x927C in exif_directories.parse(metadata.exif)[EXIF])


def test_a_damaged_block_is_left_out() -> None:
    metadata, (note,) = fitted(Metadata(exif=b"II*\0" + b"\xff" * 70_000))
    assert metadata.exif is None
    assert "damaged" in note


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 0xFFFF), st.integers(1, 40_000), min_size=2, max_size=8))
def test_every_block_fits_and_says_what_is_left(sizes: dict[int, int]) -> None:
    inner = {EXIF, 0x8825, 0xA005}
    block = block_of({tag: Entry(UNDEFINED, bytes(size)) for tag, size in sizes.items() if tag not in inner})
    metadata, notes = fitted(Metadata(exif=block))
    left = parse(metadata.exif or b"")
    assert len(metadata.exif or b"") <= 65_500
    lost = parse(block).keys() - left.keys()
    assert bool(lost) == bool(notes)
    assert min((sizes[tag] for tag in lost - {0x927C}), default=40_000) >= max(map(sizes.get, left), default=0)


def test_a_large_packet_leaves_the_provenance() -> None:
    packet = into_xmp(b"<rdf:RDF>" + b" " * 70_000 + b"</rdf:RDF>", MADE)
    metadata, (note,) = fitted(Metadata(xmp=packet))
    assert from_xmp(metadata.xmp) == MADE
    assert len(metadata.xmp or b"") < 1000
    assert "XMP" in note
    assert fitted(Metadata(xmp=bytes(70_000)))[0].xmp is None


def test_photos_and_bases_are_written_with_what_fits(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    photo = Photo(picture, 8, metadata=Metadata(exif=exif(maker_note=100_000), xmp=bytes(70_000)))
    notes = write_photo(photo, tmp_path / "a.jpg")
    assert len(notes) == 2
    hdr = Hdr(np.ones(picture.shape, np.float32), photo=photo, metadata=photo.metadata, provenance=MADE)
    assert write_hdr(hdr, tmp_path / "b.jpg") == notes
    for name in ("a.jpg", "b.jpg"):
        with Image.open(tmp_path / name) as image:
            assert image.getexif()[0x010F] == "A maker"
    for name in ("a.png", "a.tif", "a.webp"):
        assert write_photo(photo, tmp_path / name) == ()
    assert write_hdr(hdr, tmp_path / "a.avif") == ()
