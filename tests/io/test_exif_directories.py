"""EXIF taken apart and put together again, into TIFF files too, against exifread, Pillow and OpenImageIO."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import exifread
import numpy as np
import OpenImageIO
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from headroom.image import Hdr, Metadata, Photo
from headroom.io import exif_directories, read, read_photo, write_hdr, write_photo
from headroom.io.exif_directories import EXIF, GPS, Entry, block_of, parse, ratios_entry, text_entry
from headroom.io.options import WriteOptions

NAME = "Jürg Müller"  # cameras and programs write UTF-8 where the standard says ASCII


def exif_block(order: str = "<") -> bytes:
    """Return a block by Pillow, which writes no UTF-8: the name replaces a text of as many bytes."""
    block = Image.Exif()
    block.endian = order
    block[0x010F], block[0x0112], block[0x013B] = "A maker", 1, "x" * len(NAME.encode())
    inner = {0x9003: "2026:11:21 08:00:00", 0x8827: 400, 0x9000: b"0232", 0x927C: b"\0\1\2" * 11, 0xA005: {1: "R03"}}
    block.get_ifd(EXIF).update(inner)
    block.get_ifd(GPS).update({1: "N", 2: (47.0, 22.0, 6.5), 3: "E", 4: (8.0, 32.0, 30.25), 29: "2026:11:21"})
    return block.tobytes().removeprefix(b"Exif\0\0").replace(b"x" * len(NAME.encode()), NAME.encode())


def tags(block: bytes) -> dict[str, str]:
    """Return what exifread finds, but for the places of directories."""
    found = exifread.process_file(BytesIO(block), details=False)
    return {name: str(value) for name, value in found.items() if not name.endswith(("Offset", "GPSInfo"))}


@pytest.mark.parametrize("order", "<>")
def test_nothing_changes_but_the_order_of_bytes(order: str) -> None:
    before = exif_block(order)
    after = block_of(parse(before))
    assert after[:2] == b"II"
    assert len(after) == len(before)
    assert tags(after) == tags(before)
    assert len(tags(after)) > 10
    assert NAME.encode() in after
    assert parse(after) == parse(before)


def test_values() -> None:
    found = parse(exif_block(">"))
    inner, position = found[EXIF], found[GPS]
    assert isinstance(inner, dict)
    assert isinstance(position, dict)
    values = {tag: value for tag, value in {**found, **inner, **position}.items() if isinstance(value, Entry)}
    assert (values[0x013B].text, values[0x9003].text, values[0x8827].text) == (NAME, "2026:11:21 08:00:00", "")
    assert (values[0x8827].numbers, values[2].numbers, values[0x013B].numbers) == ([400], [47, 22, 6.5], [])
    assert values[0x927C].numbers in ([], [float(i % 3) for i in range(33)])


@settings(deadline=None)
@given(st.floats(0, 2**32 - 2**10))
def test_ratios_are_near_and_fit(value: float) -> None:
    (back,) = ratios_entry([value]).numbers
    assert back == pytest.approx(value, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("value", [1 / 8000, 1 / 250, 2.8, 1 / 3, 30, 0, 408.5])
def test_ratios_of_single_precision_are_those_that_were_meant(value: float) -> None:
    above, below = struct.unpack("<II", ratios_entry([float(np.float32(value))]).data)
    assert above / below == pytest.approx(value, rel=1e-12)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8), st.integers(0, 400))
def test_damaged_blocks_lose_entries_only(changes: list[tuple[int, int]], length: int) -> None:
    block = bytearray(exif_block())
    for at, value in changes:
        block[at % len(block)] = value
    for damaged in (bytes(block), bytes(block[:length])):
        found = parse(damaged)
        assert parse(block_of(found)) == found
        for value in found.values():
            assert isinstance(value, dict) or (value.text, value.numbers) is not None


def test_a_small_file_does_not_unfold() -> None:
    """Entries may share their bytes: thousands of the same large one must not become thousands of copies."""
    count, shared = 2000, 1_000_000
    entry = struct.pack("<HII", 7, shared, 8 + 2 + 12 * count + 4)
    directory = b"".join(struct.pack("<H", 50_000 + i) + entry for i in range(count))
    found = parse(b"II*\0\x08\0\0\0" + struct.pack("<H", count) + directory + bytes(4) + bytes(shared))
    assert 0 < len(found) <= 16 * 2**20 // shared


@pytest.mark.parametrize("kind", ["photo of 8 bits", "photo of 16 bits", "light", "compressed light", "pq"])
def test_tiff_carries_all_of_it(tmp_path: Path, picture: NDArray[np.uint8], kind: str) -> None:
    metadata = Metadata(exif=exif_block(">"), xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    path = tmp_path / "a.tif"
    if kind.startswith("photo"):
        codes = picture if "8" in kind else picture.astype(np.uint16) * 257
        write_photo(Photo(codes, codes.itemsize * 8, metadata=metadata), path)
    else:
        options = WriteOptions(compress="compressed" in kind, transfer="pq" if kind == "pq" else None)
        write_hdr(Hdr(picture.astype(np.float32) / 99, metadata=metadata), path, options=options)
    before, after = tags(exif_block()), tags(path.read_bytes())
    assert {name: after.get(name) for name in before} == before
    again = read(path)
    assert again.metadata.xmp == metadata.xmp
    assert again.metadata.exif is not None
    assert parse(again.metadata.exif) | parse(exif_block()) == parse(again.metadata.exif)
    spec = OpenImageIO.ImageInput.open(str(path)).spec()
    assert spec.getattribute("Make") == "A maker"
    assert spec.getattribute("Exif:DateTimeOriginal") == "2026:11:21 08:00:00"
    np.testing.assert_allclose(spec.getattribute("GPS:Latitude"), (47, 22, 6.5))


def test_pillow_sees_the_directories_of_a_tiff(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    write_photo(Photo(picture, 8, metadata=Metadata(exif=exif_block())), tmp_path / "a.tif")
    with Image.open(tmp_path / "a.tif") as image:
        assert np.array_equal(np.asarray(image), picture)
        assert image.getexif().get_ifd(GPS)[2] == (47, 22, 6.5)
        assert image.getexif().get_ifd(EXIF)[0x9003] == "2026:11:21 08:00:00"


def test_layout_tags_do_not_leave_their_file(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    """A TIFF's own strips and sizes are no metadata of the next file."""
    tifffile.imwrite(tmp_path / "a.tif", picture[:5], photometric="rgb", extratags=[(315, 2, 0, NAME.encode(), True)])
    photo = read_photo(tmp_path / "a.tif")
    assert photo.metadata.exif is not None
    assert parse(photo.metadata.exif)[315] == text_entry(NAME)
    assert not {256, 257, 273, 279} & parse(photo.metadata.exif).keys()
    write_photo(Photo(picture, 8, metadata=photo.metadata), tmp_path / "b.tif")
    assert np.array_equal(tifffile.imread(tmp_path / "b.tif"), picture)


@pytest.mark.parametrize("order", "<>")
def test_large_tiffs_have_exif_too(tmp_path: Path, picture: NDArray[np.uint8], order: str) -> None:
    extra = [(315, 2, 0, NAME.encode(), True), (271, 2, 0, b"Ab", True)]  # outside of the entry, and within
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric="rgb", bigtiff=True, byteorder=order, extratags=extra)
    found = exif_directories.parse(read_photo(tmp_path / "a.tif").metadata.exif or b"")
    assert (found[315], found[271]) == (text_entry(NAME), text_entry("Ab"))
