"""Photos that bring a gain map: files of libultrahdr, of ours and in Apple's layout, as upright HDR."""

from __future__ import annotations

import math
import struct
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from headroom.colour.gain_map import apply_gain_map, encode_gain_map
from headroom.colour.primaries import convert
from headroom.colour.transfer import decode_codes
from headroom.image import Encoding, FloatImage, GainMap, Photo
from headroom.io import orientation, read_photo
from headroom.io.gain_map_jpeg import gain_map_jpeg
from headroom.io.gain_map_metadata import to_iso
from headroom.io.jpeg_segments import (
    APP1,
    APP2,
    ISO_GAIN_MAP,
    XMP,
    application_segment,
    multi_picture_payload,
    parse_jpeg,
)

SIZE = (96, 64)  # width, height


def scene() -> FloatImage:
    """Return a dim slope with a lamp of six times SDR white, without any symmetry."""
    x, y = np.meshgrid(*(np.arange(side) / 64 for side in SIZE))
    slope = np.stack([0.1 + 0.3 * x, 0.2 + 0.2 * y, 0.5 - 0.2 * x], axis=-1)
    lamp = 5.5 * np.exp(-30 * ((x - 1) ** 2 + (y - 0.3) ** 2))[..., None]
    return (slope + lamp).astype(np.float32)


def jpeg(codes: NDArray[np.uint8], **options: object) -> bytes:
    stream = BytesIO()
    Image.fromarray(codes).save(stream, "JPEG", **{"quality": 100, "subsampling": 0, **options})
    return stream.getvalue()


def light(photo: Photo) -> FloatImage:
    """Return what a photo and its gain map mean, in BT.709."""
    assert photo.gain_map is not None
    linear = decode_codes(photo.codes, photo.encoding, photo.bit_depth)
    return convert(apply_gain_map(linear, photo.gain_map), photo.encoding.primaries, "bt709")


def srgb_codes(linear: FloatImage) -> NDArray[np.uint8]:
    clipped = np.clip(linear, 0, 1)
    curve = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return np.rint(255 * curve).astype(np.uint8)


@pytest.mark.parametrize("turn", range(1, 9))
def test_our_own_files_are_the_scene_again(tmp_path: Path, turn: int) -> None:
    stored = orientation.undo(scene(), turn)
    exif = Image.Exif()
    exif[0x0112] = turn
    base = jpeg(srgb_codes(stored), exif=exif)
    linear = decode_codes(np.asarray(Image.open(BytesIO(base))), Encoding(), 8)
    (tmp_path / "a.jpg").write_bytes(gain_map_jpeg(base, encode_gain_map(linear, stored)))
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.gain_map is not None
    assert photo.gain_map.standard == "iso"
    assert photo.gain_map.codes.shape == photo.codes.shape == scene().shape
    error = np.abs(light(photo) - scene()) / (scene() + 0.05)
    assert np.median(error) < 0.01
    assert np.quantile(error, 0.99) < 0.05


def test_files_of_libultrahdr_are_the_scene_again(tmp_path: Path) -> None:
    pixels = np.concatenate([scene(), np.ones((*scene().shape[:2], 1))], axis=2).astype(np.float16)
    (tmp_path / "a.jpg").write_bytes(imagecodecs.ultrahdr_encode(pixels, level=98))
    photo = read_photo(tmp_path / "a.jpg")
    assert np.median(np.abs(light(photo) - scene()) / (scene() + 0.05)) < 0.03
    assert light(photo).max() == pytest.approx(scene().max(), rel=0.05)


def maker_note(headroom: float, gain: float | None) -> bytes:
    """Return an Apple maker note of these numbers as signed ratios; its offsets count from its own start."""
    numbers = {tag: value for tag, value in ((33, headroom), (48, gain)) if value is not None}
    head = b"Apple iOS\0\0\x01MM" + struct.pack(">H", 1 + len(numbers))
    values_at = len(head) + (1 + len(numbers)) * 12 + 4
    entries = struct.pack(">HHIi", 1, 9, 1, 14)
    for number, tag in enumerate(numbers):
        entries += struct.pack(">HHII", tag, 10, 1, values_at + 8 * number)
    values = b"".join(struct.pack(">ii", round(value * 1_000_000), 1_000_000) for value in numbers.values())
    return head + entries + bytes(4) + values


def apple_exif(note: bytes) -> bytes:
    """Return a block whose EXIF directory, at byte 26, holds only a maker note, at byte 44."""
    first = struct.pack(">H", 1) + struct.pack(">HHII", 0x8769, 4, 1, 26) + bytes(4)
    second = struct.pack(">H", 1) + struct.pack(">HHII", 0x927C, 7, len(note), 44) + bytes(4)
    return b"MM\0*" + struct.pack(">I", 8) + first + second + note


def apple_xmp(headroom: float | None) -> bytes:
    stated = f"<HDRGainMap:HDRGainMapHeadroom>{headroom}</HDRGainMap:HDRGainMapHeadroom>" if headroom else ""
    version = 131072 if headroom else 65536
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/"'
        ' xmlns:HDRGainMap="http://ns.apple.com/HDRGainMap/1.0/">'
        "<apdi:AuxiliaryImageType>urn:com:apple:photo:2020:aux:hdrgainmap</apdi:AuxiliaryImageType>"
        f"<HDRGainMap:HDRGainMapVersion>{version}</HDRGainMap:HDRGainMapVersion>{stated}"
        "</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def apple_file(base_code: int, map_code: int, xmp: bytes, note: bytes = b"") -> bytes:
    """Return a grey photo and a grey gain map of half its size, laid out as phones do."""
    second = jpeg(np.full((24, 32), map_code, np.uint8))
    second = second[:2] + application_segment(APP1, XMP + xmp).raw + second[2:]
    base = jpeg(np.full((48, 64, 3), base_code, np.uint8), exif=b"Exif\0\0" + apple_exif(note) if note else b"")
    exif_bytes = sum(len(segment.raw) for segment in parse_jpeg(base).segments if segment.marker in {0xE0, APP1})
    start = 2 + exif_bytes
    index_bytes = len(application_segment(APP2, multi_picture_payload(0, 0, 0)).raw)
    payload = multi_picture_payload(len(base) + index_bytes, start + 8, len(second))
    return base[:start] + application_segment(APP2, payload).raw + base[start:] + second


# Headroom and gain of the maker note, and the stops that Apple's page gives for each of its four cases.
MAKER_NOTES = [
    (0.5, 0.005, -20.0 * 0.005 + 1.8),
    (0.5, 1.5, -0.101 * 1.5 + 1.601),
    (1.5, 0.005, -70.0 * 0.005 + 3.0),
    (1.5, 1.5, -0.303 * 1.5 + 2.303),
    (1.5, None, 3.0),  # many photos state no gain
]


@pytest.mark.parametrize(("headroom", "gain", "stops"), MAKER_NOTES)
@pytest.mark.parametrize("map_code", [0, 90, 200, 255])
def test_apple_photos_with_a_maker_note(
    tmp_path: Path, headroom: float, gain: float | None, stops: float, map_code: int
) -> None:
    (tmp_path / "a.jpg").write_bytes(apple_file(188, map_code, apple_xmp(None), maker_note(headroom, gain)))
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.gain_map is not None
    assert (photo.gain_map.standard, photo.gain_map.codes.shape) == ("apple", (24, 32))
    assert photo.gain_map.alternate_headroom == pytest.approx(stops, abs=1e-5)
    np.testing.assert_allclose(light(photo), apple_light(188, map_code, 2**stops), rtol=2 ** (stops / 510) - 1 + 1e-4)


@pytest.mark.parametrize("map_code", [0, 40, 128, 255])
def test_apple_photos_with_a_stated_headroom(tmp_path: Path, map_code: int) -> None:
    # The maker note says something else, as in photos that were edited since.
    (tmp_path / "a.jpg").write_bytes(apple_file(120, map_code, apple_xmp(4.532783), maker_note(1.5, 0)))
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.gain_map is not None
    assert photo.gain_map.alternate_headroom == pytest.approx(math.log2(4.532783), abs=1e-6)
    np.testing.assert_allclose(light(photo), apple_light(120, map_code, 4.532783), rtol=0.004)


def test_numbers_of_the_standard_come_before_those_of_apple(tmp_path: Path) -> None:
    plain = apple_file(188, 200, apple_xmp(4.0), maker_note(1.5, 0))
    at = len(parse_jpeg(plain).to_bytes()) + 2
    standard = application_segment(APP2, ISO_GAIN_MAP + to_iso(GainMap(np.zeros((1, 1), np.uint8), maximum=(2.5,) * 3)))
    (tmp_path / "a.jpg").write_bytes(plain[:at] + standard.raw + plain[at:])
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.gain_map is not None
    assert photo.gain_map.standard == "iso"
    linear = ((188 / 255 + 0.055) / 1.055) ** 2.4
    np.testing.assert_allclose(light(photo), (linear + 1 / 64) * 2 ** (2.5 * 200 / 255) - 1 / 64, rtol=1e-4)


def apple_light(code: int, map_code: int, headroom: float) -> float:
    """Apply the formula of Apple's page to an sRGB code and a code in the curve of ITU-R BT.709."""
    linear = ((code / 255 + 0.055) / 1.055) ** 2.4
    share = map_code / 255
    gain = share / 4.5 if share < 0.081 else ((share + 0.099) / 1.099) ** (1 / 0.45)
    return linear * (1 + (headroom - 1) * gain)


@pytest.mark.parametrize(
    ("xmp", "note"),
    [
        (apple_xmp(None), b""),
        (apple_xmp(None), b"Apple iOS\0\0\x01MM\xff\xff"),
        (apple_xmp(None), b"another maker's note"),
        (apple_xmp(None), maker_note(1.5, -1e3)),
        (apple_xmp(1e9), b""),
        (apple_xmp(4).replace(b">4<", b">.<"), b""),
        (apple_xmp(4).replace(b">4<", b">0<"), maker_note(1.5, 0)),
    ],
)
def test_a_map_without_a_headroom_costs_no_photo(tmp_path: Path, xmp: bytes, note: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(apple_file(120, 128, xmp, note))
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.codes.shape == (48, 64, 3)
    assert photo.gain_map is None
    assert photo.gain_map_problem is not None
    assert "headroom" in photo.gain_map_problem


def test_a_map_that_breaks_off_costs_no_photo(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(apple_file(120, 128, apple_xmp(4))[:-20])
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.codes.shape == (48, 64, 3)
    assert photo.gain_map is None
    assert photo.gain_map_problem is not None


def test_plain_photos_have_none(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(srgb_codes(scene())))
    photo = read_photo(tmp_path / "a.jpg")
    assert (photo.gain_map, photo.gain_map_problem) == (None, None)
