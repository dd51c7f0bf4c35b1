"""Gain-map JPEG: libultrahdr (imagecodecs) and libuhdr (OpenImageIO) show what we mean, and the base stays itself."""

from __future__ import annotations

import struct
import time
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import imagecodecs
import numpy as np
import OpenImageIO
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.MpoImagePlugin import MpoImageFile

from headroom.colour.gain_map import apply_gain_map, encode_gain_map
from headroom.colour.icc import profile_for
from headroom.colour.primaries import convert
from headroom.colour.transfer import decode_codes, encode
from headroom.errors import CorruptFile, HeadroomError, UnsupportedFormat
from headroom.image import Encoding, GainMap
from headroom.io import read_photo
from headroom.io.gain_map_jpeg import gain_map_jpeg, read_gain_map_jpeg
from headroom.io.gain_map_metadata import base_xmp, from_iso, from_xmp, to_iso, to_xmp
from headroom.io.jpeg_segments import APP1, APP2, ISO_GAIN_MAP, MULTI_PICTURE, XMP, application_segment, parse_jpeg

EXIF = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HHHIHxxI", 1, 0x0112, 3, 1, 6, 0)
PACKET = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="a camera"/></rdf:RDF></x:xmpmeta>'
    + b" " * 2000
    + b'<?xpacket end="w"?>'
)
FEW_CODES = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


def scene(height: int = 180, width: int = 240) -> np.ndarray:
    """Return a smooth HDR picture with a warm lamp of 4.5 times SDR white."""
    y, x = np.mgrid[0:height, 0:width] / width
    wall = 0.4 + 0.35 * np.stack([np.sin(9 * x + i) * np.cos(7 * y + 2 * i) for i in range(3)], axis=-1)
    lamp = 4 * np.exp(-60 * ((x - 0.5) ** 2 + (y - 0.3) ** 2))[..., None] * [1, 0.8, 0.5]
    return np.maximum(wall + lamp, 0.01).astype(np.float32)


def base_of(hdr: np.ndarray, **options: object) -> bytes:
    stream = BytesIO()
    codes = np.rint(encode(np.minimum(hdr, 1), "srgb") * 255).astype(np.uint8)
    Image.fromarray(codes).save(stream, "JPEG", **{"quality": 97, "subsampling": 0, **options})
    return stream.getvalue()


def linear(jpeg: bytes) -> np.ndarray:
    return decode_codes(np.asarray(Image.open(BytesIO(jpeg))), Encoding(), 8)


def gain_map_file(scale: int = 1, channels: int = 3, **options: object) -> tuple[bytes, bytes, GainMap]:
    hdr = scene()
    base = base_of(hdr, **options)
    gain_map = encode_gain_map(linear(base), hdr, scale=scale, channels=channels)
    return gain_map_jpeg(base, gain_map), base, gain_map


def second_start(data: bytes) -> int:
    return len(parse_jpeg(data).to_bytes())


def shown_by_us(data: bytes) -> np.ndarray:
    read = read_gain_map_jpeg(data)
    assert read is not None
    return apply_gain_map(linear(read[0]), read[1])


def shown_by_openimageio(data: bytes, folder: Path) -> np.ndarray:
    path = folder / "picture.jpg"
    path.write_bytes(data)
    return OpenImageIO.ImageBuf(str(path)).get_pixels(OpenImageIO.FLOAT)[..., :3]


def shown_by_imagecodecs(data: bytes, folder: Path) -> np.ndarray:
    return imagecodecs.ultrahdr_decode(data)[..., :3].astype(np.float32)


@pytest.mark.parametrize("reader", [shown_by_imagecodecs, shown_by_openimageio])
@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_other_readers_show_what_we_mean(reader, scale: int, channels: int, tmp_path: Path) -> None:
    data, _, _ = gain_map_file(scale, channels)
    ours = shown_by_us(data)
    theirs = reader(data, tmp_path)
    error = np.abs(theirs - ours) / (ours + 0.01)
    assert theirs.max() == pytest.approx(ours.max(), rel=0.01)
    assert np.median(error) < 0.005
    # They interpolate small maps by inverse distance instead of linearly.
    assert np.quantile(error, 0.99) < {1: 0.015, 2: 0.05, 4: 0.12}[scale]


def test_readers_that_know_only_xmp_show_the_same(tmp_path: Path) -> None:
    data, _, gain_map = gain_map_file(channels=1)
    without_iso = data.replace(ISO_GAIN_MAP, b"x" * len(ISO_GAIN_MAP))
    ours = shown_by_us(data)
    theirs = shown_by_imagecodecs(without_iso, tmp_path)
    assert np.median(np.abs(theirs - ours) / (ours + 0.01)) < 0.005
    read = read_gain_map_jpeg(without_iso)
    assert read is not None
    np.testing.assert_allclose(read[1].maximum, gain_map.maximum, atol=1e-6)


@pytest.mark.parametrize("reader", [shown_by_imagecodecs, shown_by_openimageio])
@pytest.mark.parametrize("scale", [1, 4])
def test_odd_sizes_and_pictures_without_highlights(reader, scale: int, tmp_path: Path) -> None:
    sdr = np.minimum(scene(181, 243), 0.9)
    base = base_of(sdr)
    data = gain_map_jpeg(base, encode_gain_map(linear(base), linear(base), scale=scale))
    np.testing.assert_allclose(reader(data, tmp_path), linear(base), atol=0.01)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"comment": b"hello"}])
def test_the_base_stays_byte_for_byte(options: dict[str, object]) -> None:
    icc = profile_for(Encoding("p3", "srgb"))
    data, base, _ = gain_map_file(exif=EXIF, icc_profile=icc, **options)
    before, after = parse_jpeg(base), parse_jpeg(data)
    assert before.to_bytes() == base
    assert after.scans == before.scans
    kept = [segment for segment in after.segments if segment in before.segments]
    assert kept == list(before.segments)
    assert [segment.marker for segment in after.segments if segment not in before.segments] == [APP1, APP2, APP2]
    with Image.open(BytesIO(data)) as image:
        assert image.info["icc_profile"] == icc
        assert image.getexif()[0x0112] == 6
        np.testing.assert_array_equal(np.asarray(image), np.asarray(Image.open(BytesIO(base))))


def test_the_index_leads_to_the_second_picture() -> None:
    data, _, gain_map = gain_map_file(2, 1)
    with MpoImageFile(BytesIO(data)) as image:
        assert image.n_frames == 2
        entries = image.mpinfo[0xB002]
        assert entries[0]["Size"] == second_start(data)
        assert entries[0]["Size"] + entries[1]["Size"] == len(data)
        image.seek(1)
        assert image.size == gain_map.codes.shape[::-1]
        assert np.abs(np.asarray(image).astype(int) - gain_map.codes).max() <= 8


def test_the_directory_holds_the_length_of_the_second_picture() -> None:
    data, _, _ = gain_map_file()
    packet = parse_jpeg(data).payload(APP1, XMP)
    assert packet is not None
    items = ElementTree.fromstring(packet).iter("{http://ns.google.com/photos/1.0/container/}Item")
    lengths = [item.get("{http://ns.google.com/photos/1.0/container/item/}Length") for item in items]
    assert lengths == [None, str(len(data) - second_start(data))]


@pytest.mark.parametrize("channels", [1, 3])
def test_reading_gives_back_what_was_written(channels: int) -> None:
    data, _, gain_map = gain_map_file(2, channels)
    read = read_gain_map_jpeg(data)
    assert read is not None
    assert read[0] == data[: second_start(data)]
    np.testing.assert_allclose(read[1].maximum, gain_map.maximum, atol=1e-6)
    assert read[1].alternate_headroom == pytest.approx(gain_map.alternate_headroom, abs=1e-6)
    assert read[1].codes.shape == gain_map.codes.shape
    stops_of_a_code = (gain_map.maximum[0] - gain_map.minimum[0]) / 255
    assert np.quantile(np.abs(read[1].codes.astype(int) - gain_map.codes), 0.999) * stops_of_a_code < 0.1


def test_files_of_libultrahdr_are_read(tmp_path: Path) -> None:
    hdr = scene()
    pixels = np.concatenate([hdr, np.ones_like(hdr[..., :1])], axis=2).astype(np.float16)
    data = imagecodecs.ultrahdr_encode(pixels, level=95)
    read = read_gain_map_jpeg(data)
    assert read is not None
    ours = convert(apply_gain_map(linear(read[0]), read[1]), "p3", "bt709")  # its base is P3, what it shows is not
    theirs = shown_by_imagecodecs(data, tmp_path)
    assert np.median(np.abs(theirs - ours) / (ours + 0.01)) < 0.01


@pytest.mark.parametrize("base_primaries", ["bt709", "p3"])
@pytest.mark.parametrize("gain_primaries", ["bt709", "p3", "bt2020"])
def test_libultrahdr_applies_the_gain_in_the_same_primaries(base_primaries, gain_primaries, tmp_path: Path) -> None:
    hdr = scene()
    base = base_of(hdr, icc_profile=profile_for(Encoding(base_primaries)))
    inside = [convert(light, base_primaries, gain_primaries) for light in (linear(base), hdr)]
    gain_map = replace(encode_gain_map(*inside), gain_primaries=gain_primaries)
    data = gain_map_jpeg(base, gain_map)
    (tmp_path / "a.jpg").write_bytes(data)
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.gain_map is not None
    assert (photo.gain_map.base_primaries, photo.gain_map.gain_primaries) == (base_primaries, gain_primaries)
    ours = convert(apply_gain_map(linear(base), photo.gain_map), base_primaries, gain_primaries)
    error = np.abs(shown_by_imagecodecs(data, tmp_path) - ours) / ours.max(axis=-1, keepdims=True)
    assert np.quantile(error, 0.99) < 0.01


def test_unknown_primaries_are_those_of_the_base() -> None:
    data = gain_map_jpeg(base_of(scene()), replace(gain_map_file()[2], gain_primaries="p3"))
    read = read_gain_map_jpeg(data.replace(b"ICC_PROFILE", b"icc_profile"))
    assert read is not None
    assert read[1].gain_primaries is None


def test_an_old_gain_map_and_its_index_are_replaced() -> None:
    data, base, gain_map = gain_map_file()
    again = gain_map_jpeg(data + b"a film that a phone appended", replace(gain_map, codes=gain_map.codes[::2, ::2]))
    segments = parse_jpeg(again).segments
    assert sum(segment.holds(APP2, MULTI_PICTURE) for segment in segments) == 1
    assert sum(segment.holds(APP2, ISO_GAIN_MAP) for segment in segments) == 1
    packets = [segment.payload for segment in segments if segment.holds(APP1, XMP)]
    assert len(packets) == 1
    assert packets[0].count(b"<Container:Directory>") == packets[0].count(b"hdrgm:Version") == 1
    read = read_gain_map_jpeg(again)
    assert read is not None
    assert read[1].codes.shape == (90, 120, 3)
    assert parse_jpeg(again).scans == parse_jpeg(base).scans
    assert b"a film" not in again


def test_an_existing_packet_is_extended() -> None:
    data, _, _ = gain_map_file(xmp=PACKET)
    packets = [segment.payload for segment in parse_jpeg(data).segments if segment.holds(APP1, XMP)]
    assert len(packets) == 1
    text = packets[0].removeprefix(XMP)
    ElementTree.fromstring(text)
    assert b'dc:source="a camera"' in text
    assert b'hdrgm:Version="1.0"' in text
    assert text.endswith(b'<?xpacket end="w"?>')


@pytest.mark.parametrize("packet", [b"no XML", PACKET.replace(b" " * 2000, b"x" * 64_900)])
def test_a_packet_without_room_is_left_alone(packet: bytes) -> None:
    data, _, gain_map = gain_map_file(xmp=packet)
    assert parse_jpeg(data).payload(APP1, XMP) == packet
    read = read_gain_map_jpeg(data)
    assert read is not None
    assert read[1].codes.shape == gain_map.codes.shape


numbers = st.floats(-4, 4, width=16).map(float)
positive = st.floats(0.125, 4, width=16).map(float)


def triples(values: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[float, float, float]]:
    return st.one_of(values.map(lambda value: (value,) * 3), st.tuples(values, values, values))


@settings(deadline=None)
@given(triples(numbers), triples(positive), triples(positive), triples(positive), triples(numbers), positive)
def test_numbers_survive_both_forms(minimum, span, gamma, base_offset, alternate_offset, headroom) -> None:
    maximum = tuple(low + width for low, width in zip(minimum, span, strict=True))
    gain_map = GainMap(FEW_CODES, minimum, maximum, gamma, base_offset, alternate_offset, 0.0, headroom)
    for read in (from_iso(to_iso(gain_map), FEW_CODES), from_xmp(to_xmp(gain_map), FEW_CODES)):
        for name in ("minimum", "maximum", "gamma", "base_offset", "alternate_offset", "alternate_headroom"):
            np.testing.assert_allclose(getattr(read, name), getattr(gain_map, name), atol=1e-6)


@pytest.mark.parametrize("part", [b" ", b"<", b"<hdrgm:Gamma>", b"<Container:Directory>", b" hdrgm:Version ="])
def test_hostile_packets_take_no_longer_than_others(part: bytes) -> None:
    packet = part * (60_000 // len(part))
    started = time.perf_counter()
    base_xmp(packet, 5)
    with pytest.raises(CorruptFile):
        from_xmp(b"<hdrgm:GainMapMax>" + packet + b"</hdrgm:GainMapMax>", FEW_CODES)
    assert time.perf_counter() - started < 1  # what grows with the square of the length takes many seconds


def test_a_base_in_hdr_swaps_the_numbers_of_xmp() -> None:
    packet = to_xmp(replace(GainMap(FEW_CODES), base_offset=(0.25,) * 3)).replace(b'="False"', b'="True"')
    read = from_xmp(packet, FEW_CODES)
    assert (read.base_headroom, read.alternate_headroom) == (1.0, 0.0)
    assert (read.base_offset[0], read.alternate_offset[0]) == (1 / 64, 0.25)


def test_a_common_denominator_is_read() -> None:
    block = bytes(4) + bytes([0x48]) + struct.pack(">I7i", 64, 0, 128, -64, 128, 64, 1, 2)
    read = from_iso(block, FEW_CODES)
    assert (read.minimum, read.maximum, read.gamma) == ((-1.0,) * 3, (2.0,) * 3, (1.0,) * 3)
    assert (read.base_offset[0], read.alternate_offset[0], read.alternate_headroom) == (1 / 64, 1 / 32, 2.0)


@pytest.mark.parametrize("xmp", [b"", b'hdrgm:GainMapMax="x"', b'hdrgm:GainMapMax="99" hdrgm:HDRCapacityMax="1"'])
def test_impossible_xmp_is_corrupt(xmp: bytes) -> None:
    with pytest.raises(CorruptFile):
        from_xmp(xmp, FEW_CODES)


@pytest.mark.parametrize(
    ("block", "error"),
    [
        (b"\0\x01\0\0" + bytes(57), UnsupportedFormat),
        (bytes(4), CorruptFile),
        (bytes(61), CorruptFile),  # denominators of zero
        (to_iso(GainMap(FEW_CODES, gamma=(0.0, 0.0, 0.0))), CorruptFile),
        (to_iso(GainMap(FEW_CODES, minimum=(2.0, 2.0, 2.0))), CorruptFile),
    ],
)
def test_impossible_iso_metadata_are_refused(block: bytes, error: type[HeadroomError]) -> None:
    with pytest.raises(error):
        from_iso(block, FEW_CODES)


def test_files_without_a_gain_map_are_none() -> None:
    base = base_of(scene())
    assert read_gain_map_jpeg(base) is None
    assert read_gain_map_jpeg(base + base) is None  # a second picture that is no gain map
    stream = BytesIO()
    image = Image.open(BytesIO(base))
    image.save(stream, "MPO", save_all=True, append_images=[image])
    assert read_gain_map_jpeg(stream.getvalue()) is None


TOO_MANY = b"\xff\xe0\0\2" * 5000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no picture", id="text"),
        pytest.param(b"\xff\xd8", id="start only"),
        pytest.param(b"\xff\xd8\xff\xd9", id="no scan"),
        pytest.param(b"\xff\xd8" + b"\xff" * 2**24, id="fill bytes only"),
        pytest.param(base_of(scene())[:-2], id="no end"),
        pytest.param(b"\xff\xd8" + TOO_MANY + base_of(scene())[2:], id="too many segments"),
        pytest.param(base_of(scene())[:-2] + TOO_MANY + b"\xff\xd9", id="too many segments in the scans"),
    ],
)
def test_damaged_bases_are_refused(data: bytes) -> None:
    with pytest.raises(CorruptFile):
        gain_map_jpeg(data, GainMap(FEW_CODES))
    with pytest.raises(CorruptFile):
        read_gain_map_jpeg(data)


SMALL = gain_map_jpeg(base_of(scene(16, 16)), GainMap(FEW_CODES))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(SMALL)))
def test_damage_raises_only_our_errors(changes: list[tuple[int, int]], length: int) -> None:
    damaged = bytearray(SMALL)
    for offset, value in changes:
        damaged[offset] = value
    for data in (bytes(damaged), bytes(damaged[:length])):
        try:
            read_gain_map_jpeg(data)
            gain_map_jpeg(data, GainMap(FEW_CODES))
        except HeadroomError:
            pass


def test_segments_have_a_largest_size() -> None:
    assert base_xmp(None, 5) is not None
    with pytest.raises(HeadroomError, match="65533"):
        application_segment(APP1, bytes(65_534))
