"""Positions go, everything else stays; EXIF as exifread and Pillow see it."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import exifread
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from headroom.io import read_photo
from headroom.io.exif import without_gps as exif_without_gps
from headroom.io.gps import without_gps, xmp_without_gps
from headroom.io.jpeg_segments import APP1, application_segment, parse_jpeg

PACKET = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="47,22.1N"
 exif:FNumber="28/10" exif:GPSAltitude='400/1'><exif:GPSLongitude>8,32.5E</exif:GPSLongitude>
<exif:ISOSpeedRatings>100</exif:ISOSpeedRatings></rdf:Description></rdf:RDF></x:xmpmeta>"""


def exif_block() -> bytes:
    block = Image.Exif()
    block[0x010F], block[0x0112], block[0x0132] = "A maker of cameras", 6, "2026:11:21 08:00:00"
    block.get_ifd(0x8769).update({0x829D: 2.8, 0x9003: "2026:11:21 08:00:00"})
    block.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 6.5), 3: "E", 4: (8.0, 32.0, 30.25), 29: "2026:11:21"})
    return block.tobytes().removeprefix(b"Exif\0\0")


def tags(block: bytes) -> dict[str, str]:
    found = exifread.process_file(BytesIO(block), details=False)
    return {name: str(value) for name, value in found.items()}


def test_only_the_gps_tags_go() -> None:
    before = exif_block()
    after = exif_without_gps(before)
    assert any(name.startswith("GPS") for name in tags(before))
    expected = {
        name: value for name, value in tags(before).items() if not name.startswith("GPS") and name != "Image GPSInfo"
    }
    assert tags(after) == expected
    assert len(expected) >= 5
    assert len(after) == len(before)
    assert struct.pack(">II", 32, 1) not in after  # the minutes as a ratio are overwritten, not only unlinked
    assert exif_without_gps(after) == after


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8), st.integers(0, 400))
def test_damaged_blocks_do_no_harm(changes: list[tuple[int, int]], length: int) -> None:
    block = bytearray(exif_block())
    for at, value in changes:
        block[at % len(block)] = value
    for damaged in (bytes(block), bytes(block[:length])):
        assert len(exif_without_gps(damaged)) == len(damaged)


def test_only_the_gps_properties_go() -> None:
    after = xmp_without_gps(PACKET)
    assert b"GPS" not in after
    assert b'exif:FNumber="28/10"' in after
    assert b"<exif:ISOSpeedRatings>100</exif:ISOSpeedRatings>" in after
    gone = (
        b' exif:GPSLatitude="47,22.1N"',
        b" exif:GPSAltitude='400/1'",
        b"<exif:GPSLongitude>8,32.5E</exif:GPSLongitude>",
    )
    assert len(PACKET) - len(after) == sum(map(len, gone))


@pytest.mark.parametrize("split", [False, True])
def test_a_jpeg_keeps_its_picture_and_its_other_segments(tmp_path: Path, split: bool) -> None:
    stream = BytesIO()
    picture = np.arange(3000, dtype=np.uint8).reshape(25, 40, 3)
    Image.fromarray(picture).save(
        stream, "JPEG", exif=b"Exif\0\0" + exif_block(), xmp=PACKET, icc_profile=b"x" * 200, comment=b"hello"
    )
    header = b"http://ns.adobe.com/xmp/extension/\0" + b"D" * 32 + bytes(8)
    parts = [b"<a exif:GP", b'SImgDirection="1/2"/>'] if split else [b'<a exif:GPSImgDirection="1/2"/>']
    extension = b"".join(application_segment(APP1, header + part).raw for part in parts)
    path = tmp_path / "a.jpg"
    path.write_bytes(stream.getvalue()[:2] + extension + stream.getvalue()[2:])
    photo = read_photo(path)
    clean = without_gps(photo)
    assert clean.original is not None
    assert photo.original is not None
    assert b"GPS" not in clean.original
    before, after = parse_jpeg(photo.original), parse_jpeg(clean.original)
    assert after.scans == before.scans
    others = [segment for segment in before.segments if segment.marker != APP1]
    assert [segment for segment in after.segments if segment.marker != APP1] == others
    np.testing.assert_array_equal(clean.codes, photo.codes)
    assert clean.metadata.exif is not None
    assert not any(name.startswith("GPS") for name in tags(clean.metadata.exif))
    assert clean.metadata.xmp == xmp_without_gps(PACKET)
    with Image.open(BytesIO(clean.original)) as image:
        assert image.getexif()[0x0112] == 6
        assert not image.getexif().get_ifd(0x8825)


def test_photos_without_metadata_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (8, 8)).save(path)
    photo = read_photo(path)
    clean = without_gps(photo)
    assert (clean.original, clean.metadata) == (photo.original, photo.metadata)
