"""The base of a gain-map JPEG: scans, tables, EXIF and ICC are the photo's own bytes, whatever the photo is like."""

from __future__ import annotations

import hashlib
import struct
import time
import timeit
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headroom.colour.gain_map import encode_gain_map
from headroom.colour.icc import profile_for
from headroom.colour.transfer import decode_codes
from headroom.image import Encoding, Hdr
from headroom.io import read_photo, write_hdr
from headroom.io.options import WriteOptions

ICC = profile_for(Encoding("p3", "srgb"))
PACKET = (
    b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc='
    b'"http://purl.org/dc/elements/1.1/" dc:source="a camera"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def picture(width: int = 64, height: int = 48) -> Image.Image:
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x * 3 % 256, y * 5 % 256, (x + y) % 256], axis=-1).astype(np.uint8))


def exif(*, orientation: int = 6, thumbnail: bytes = b"") -> bytes:
    """Return an EXIF block with an orientation and, in a second directory, a thumbnail (DC-008, 4.5.4)."""
    first = struct.pack(">H", 1) + struct.pack(">HHIHxx", 0x0112, 3, 1, orientation) + struct.pack(">I", 26)
    second = (
        struct.pack(">H", 2)
        + struct.pack(">HHII", 0x0201, 4, 1, 56)
        + struct.pack(">HHII", 0x0202, 4, 1, len(thumbnail))
    )
    return b"Exif\0\0MM\0*\0\0\0\x08" + first + second + bytes(4) + thumbnail


def jpeg(image: Image.Image, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, "JPEG", **{"quality": 90, **options})
    return stream.getvalue()


def with_fill_bytes() -> bytes:
    plain = jpeg(picture())
    at = plain.index(b"\xff\xdb")
    return plain[:at] + b"\xff\xff\xff" + plain[at:]


def multi_picture() -> bytes:
    stream = BytesIO()
    picture().save(stream, "MPO", save_all=True, append_images=[picture(32, 24)])
    return stream.getvalue()


BASES: dict[str, Callable[[], bytes]] = {
    "baseline 4:2:0": lambda: jpeg(picture(), subsampling=2),
    "baseline 4:4:4": lambda: jpeg(picture(), subsampling=0),
    "progressive": lambda: jpeg(picture(), progressive=True),
    "restart markers": lambda: jpeg(picture(), restart_marker_blocks=1),
    "restart markers, progressive": lambda: jpeg(picture(), restart_marker_rows=1, progressive=True),
    "optimised tables": lambda: jpeg(picture(), optimize=True),
    "grey": lambda: jpeg(picture().convert("L")),
    "exif and icc": lambda: jpeg(picture(), exif=exif(), icc_profile=ICC),
    "thumbnail": lambda: jpeg(picture(), exif=exif(orientation=1, thumbnail=jpeg(picture(16, 12)))),
    "large icc": lambda: jpeg(picture(), icc_profile=ICC + bytes(200_000)),
    "xmp": lambda: jpeg(picture(), xmp=PACKET),
    "comment": lambda: jpeg(picture(), comment=b"hello \xff\xda \xff\xd9"),
    "older index": multi_picture,
    "fill bytes": with_fill_bytes,
    "odd size": lambda: jpeg(picture(61, 47), subsampling=2),
    "one pixel": lambda: jpeg(picture(1, 1)),
    "wider than 8192": lambda: jpeg(picture(8210, 8), subsampling=2),
    "higher than 8192": lambda: jpeg(picture(8, 8211)),
}


def parts(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the segments before the first scan, and the rest of the first picture (T.81, B.1)."""
    segments, at = [], 2
    while True:
        start = at
        while data[at + 1] == 0xFF:
            at += 1
        if data[at + 1] == 0xDA:
            break
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        segments.append(data[start:at])
    end = at
    while data[end : end + 2] != b"\xff\xd9":  # neither a scan's data nor the tables between scans hold this here
        end += 1
    return segments, data[start : end + 2]


@pytest.mark.parametrize("kind", BASES)
def test_every_byte_of_the_picture_stays(tmp_path: Path, kind: str) -> None:
    original = BASES[kind]()
    (tmp_path / "a.jpg").write_bytes(original)
    photo = read_photo(tmp_path / "a.jpg")
    light = decode_codes(photo.codes, photo.encoding, photo.bit_depth) * np.float32(2)
    write_hdr(Hdr(light, photo.encoding.primaries, photo=photo, metadata=photo.metadata), tmp_path / "b.jpg")
    before, scans = parts(original)
    after, written = parts((tmp_path / "b.jpg").read_bytes())
    assert hashlib.sha256(written).digest() == hashlib.sha256(scans).digest()
    replaced = (b"http://ns.adobe.com/xap/", b"MPF\0")
    kept = [segment for segment in before if not segment[4:].startswith(replaced)]
    assert [segment for segment in after if segment in kept] == kept
    added = [segment[4:12] for segment in after if segment not in kept]
    assert sorted(added) == [b"MPF\0MM\0*", b"http://n", b"urn:iso:"]
    with Image.open(tmp_path / "b.jpg") as again, Image.open(tmp_path / "a.jpg") as first:
        assert again.info.get("exif") == first.info.get("exif")
        assert again.info.get("icc_profile") == first.info.get("icc_profile")
        assert np.array_equal(np.asarray(again), np.asarray(first))
    assert read_photo(tmp_path / "b.jpg").gain_map is not None


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_twelve_megapixels_take_little_beyond_the_map(tmp_path: Path, scale: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (375, 500, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((4000, 3000), Image.Resampling.BICUBIC).save(tmp_path / "a.jpg", quality=95)
    photo = read_photo(tmp_path / "a.jpg")
    light = decode_codes(photo.codes, photo.encoding, photo.bit_depth)
    hdr = Hdr(light * np.float32(4), photo=photo)
    options = WriteOptions(gain_map_scale=scale)

    def shortest_s(function: Callable[[], object]) -> float:
        """Of several times, since a busy machine is slower at any of them."""
        return min(timeit.repeat(function, timer=time.process_time, number=1, repeat=4))

    written_s = shortest_s(lambda: write_hdr(hdr, tmp_path / "b.jpg", options=options))
    assert written_s - shortest_s(lambda: encode_gain_map(light, hdr.pixels, scale=scale)) < 0.6
