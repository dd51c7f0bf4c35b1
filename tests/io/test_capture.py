"""The main facts of EXIF in containers that have no EXIF, as OpenImageIO, exifread and Pillow see them."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import exifread
import numpy as np
import OpenImageIO
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from headroom.image import FloatImage, Hdr, Metadata
from headroom.io import capture, describe, exr_metadata, read_hdr, write_hdr
from headroom.io.capture import Capture

FACTS = Capture(
    description="Über den Dächern",
    make="A maker",
    model="M 10",
    serial_number="0042",
    lens_make="B maker",
    lens_model="35mm F2.8",
    lens_serial_number="7",
    artist="Jürg",
    copyright="© nobody",
    taken="2026:11:21 08:00:00",
    utc_offset="-03:30",
    exposure_s=1 / 250,
    f_number=2.8,
    iso=400,
    focal_length_mm=35,
    distance_m=3.5,
    latitude_deg=-47.3685,
    longitude_deg=-8.5417,
    altitude_m=-12.5,
)
PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="Jürg"/></rdf:RDF></x:xmpmeta>"""

text = st.text(st.sampled_from('aé本=#:"\\\r\n'), min_size=1).filter(str.strip)
facts = st.builds(
    Capture,
    description=st.none() | text.map(str.strip),
    copyright=st.none() | text.map(str.strip),
    exposure_s=st.none() | st.floats(1e-5, 1e5),
    iso=st.none() | st.integers(1, 65_535).map(float),
    latitude_deg=st.none() | st.floats(-90, 90),
    longitude_deg=st.none() | st.floats(-180, 180),
    altitude_m=st.none() | st.floats(-400, 9000),
)


def test_pillow_and_exifread_read_what_is_written() -> None:
    block = capture.to_exif(FACTS)
    assert block is not None
    found = Image.Exif()
    found.load(block)
    assert (found[0x010F], found[0x0110]) == ("A maker", "M 10")
    inner = found.get_ifd(0x8769)
    assert (inner[0x829A], inner[0x829D], inner[0x8827]) == (IFDRational(1, 250), IFDRational(14, 5), 400)
    tags = exifread.process_file(BytesIO(block), details=False)
    assert str(tags["Image Artist"]) == "Jürg"
    assert exifread.utils.get_gps_coords(tags) == pytest.approx((FACTS.latitude_deg, FACTS.longitude_deg), abs=1e-8)


def test_pillow_s_blocks_are_read() -> None:
    block = Image.Exif()
    block[0x0132] = "2020:01:01 00:00:00"
    inner = {0x829A: IFDRational(1, 8000), 0x829D: IFDRational(0, 1), 0x9206: IFDRational(2**32 - 1, 1)}
    block.get_ifd(0x8769).update(inner)
    block.get_ifd(0x8825).update({1: "S", 2: (10.0, 30.0, 36.0), 5: b"\1", 6: 5.0})
    found = capture.from_exif(block.tobytes().removeprefix(b"Exif\0\0"))
    # An f-number of 0 and a distance without end are unknown; one date is better than none.
    expected = Capture(taken="2020:01:01 00:00:00", exposure_s=1 / 8000, latitude_deg=-10.51, altitude_m=-5)
    assert found == expected


@settings(deadline=None)
@given(facts)
def test_exif_keeps_the_facts(known: Capture) -> None:
    back = capture.from_exif(capture.to_exif(known) or b"").values()
    assert back.keys() == known.values().keys()
    for name, value in known.values().items():
        assert back[name] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-5, abs=1e-6))


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(Capture.__slots__), st.none() | st.floats() | text | st.just("\0") | st.booleans())
)
def test_any_claim_gives_a_block(claims: dict[str, object]) -> None:
    known = capture.possible(claims)
    assert capture.from_exif(capture.to_exif(known) or b"").values().keys() == known.values().keys()


@pytest.mark.parametrize("suffix", ["exr", "hdr"])
def test_containers_without_exif_keep_the_facts(tmp_path: Path, light: FloatImage, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    metadata = Metadata(exif=capture.to_exif(FACTS), xmp=PACKET.encode())
    write_hdr(Hdr(light, metadata=metadata), path)
    assert describe(path).metadata == read_hdr(path).metadata
    back = read_hdr(path).metadata
    assert back.xmp == (metadata.xmp if suffix == "exr" else None)
    found = capture.from_exif(back.exif or b"").values()
    expected = FACTS.values()
    assert {name: value for name, value in found.items() if isinstance(value, str)} == {
        name: value for name, value in expected.items() if isinstance(value, str)
    }
    numbers = {name: value for name, value in expected.items() if not isinstance(value, str)}
    assert {name: found[name] for name in numbers} == pytest.approx(numbers, rel=1e-6)


@pytest.mark.parametrize("suffix", ["exr", "hdr"])
def test_nothing_is_made_up(tmp_path: Path, light: FloatImage, suffix: str) -> None:
    """OpenImageIO states the present as the date of capture where it is given none."""
    write_hdr(Hdr(light), tmp_path / f"a.{suffix}")
    assert read_hdr(tmp_path / f"a.{suffix}").metadata == Metadata()


def test_openimageio_finds_openexr_s_own_attributes(tmp_path: Path, light: FloatImage) -> None:
    metadata = Metadata(exif=capture.to_exif(FACTS), xmp=PACKET.encode())
    write_hdr(Hdr(light, metadata=metadata), tmp_path / "a.exr")
    spec = OpenImageIO.ImageInput.open(str(tmp_path / "a.exr")).spec()
    expected = {
        "cameraMake": "A maker",
        "cameraModel": "M 10",
        "lensModel": "35mm F2.8",
        "DateTime": "2026:11:21 08:00:00",
        "Copyright": "© nobody",
        "xmp": PACKET,
        "ExposureTime": 0.004,
        "FNumber": 2.8,
        "isoSpeed": 400,
        "focus": 3.5,
        "latitude": -47.3685,
        "longitude": -8.5417,
        "altitude": -12.5,
        "utcOffset": 12_600,  # from local time to UTC
    }
    for name, value in expected.items():
        found = spec.getattribute(name)
        assert found == (value if isinstance(value, str) else pytest.approx(value, rel=1e-6)), name


def test_attributes_of_others_become_exif(tmp_path: Path, light: FloatImage) -> None:
    spec = OpenImageIO.ImageSpec(19, 11, 3, "float")
    values = {"cameraModel": "Alexa", "expTime": 1 / 48, "aperture": 4.0, "latitude": 99.0, "focus": float("inf")}
    for name, value in values.items():
        spec.attribute(name, value)
    output = OpenImageIO.ImageOutput.create("any.exr")
    output.open(str(tmp_path / "a.exr"), spec)
    output.write_image(np.ascontiguousarray(light))
    output.close()
    tags = exifread.process_file(BytesIO(read_hdr(tmp_path / "a.exr").metadata.exif or b""), details=False)
    found = (str(tags["Image Model"]), str(tags["EXIF ExposureTime"]), str(tags["EXIF FNumber"]))
    assert found == ("Alexa", "1/48", "4")
    assert not [name for name in tags if name.startswith("GPS")]  # there is no 99th degree north
    assert "EXIF SubjectDistance" not in tags


def test_the_block_of_gimp_and_darktable_is_read() -> None:
    block = capture.to_exif(FACTS) or b""
    stored = b"Exif\0\0" + block
    attributes = {b"exif": struct.pack("<i", len(stored)) + stored, b"cameraMake": b"another"}
    assert exr_metadata.from_attributes(attributes).exif == block


def test_radiance_s_own_variables(tmp_path: Path, light: FloatImage) -> None:
    write_hdr(Hdr(light, metadata=Metadata(exif=capture.to_exif(FACTS))), tmp_path / "a.hdr")
    header = (tmp_path / "a.hdr").read_bytes().partition(b"\n\n")[0].decode().split("\n")
    variables = dict(line.split("=", 1) for line in header if line[0] != "#")
    assert variables["CAMERA"] == " A maker M 10"
    assert variables["CAPDATE"] == " 2026:11:21 08:00:00"
    assert variables["LATLONG"] == " -47.368500 -8.541700"
    assert variables["OWNER"] == " © nobody"
    assert "EXPOSURE" not in variables  # nothing has been multiplied


def test_variables_of_others_become_exif(tmp_path: Path, light: FloatImage) -> None:
    write_hdr(Hdr(light), tmp_path / "a.hdr")
    lines = b"CAMERA= Canon EOS 5D\nCAPDATE= 2003:05:29 13:26:08\nLATLONG= 37.87 -122.25\nFORMAT="
    (tmp_path / "a.hdr").write_bytes((tmp_path / "a.hdr").read_bytes().replace(b"FORMAT=", lines))
    found = capture.from_exif(read_hdr(tmp_path / "a.hdr").metadata.exif or b"")
    assert (found.model, found.taken) == ("Canon EOS 5D", "2003:05:29 13:26:08")
    assert (found.latitude_deg, found.longitude_deg) == pytest.approx((37.87, -122.25))


def test_text_cannot_break_the_header(tmp_path: Path, light: FloatImage) -> None:
    hostile = Capture(model="a\nEXPOSURE=9\n\n-Y 1 +X 1\n", copyright="b\r\n\r\nFORMAT=x", description="x" * 5000)
    write_hdr(Hdr(light), tmp_path / "a.hdr")
    write_hdr(Hdr(light, metadata=Metadata(exif=capture.to_exif(hostile))), tmp_path / "b.hdr")
    assert np.array_equal(read_hdr(tmp_path / "a.hdr").pixels, read_hdr(tmp_path / "b.hdr").pixels)


def test_comments_of_any_length_leave_the_picture_readable(tmp_path: Path, light: FloatImage) -> None:
    """OpenImageIO reads 128 bytes at a time: a line that ends there makes the next one look empty."""
    path = tmp_path / "a.hdr"
    for length in range(60, 200):
        made, metadata = {"method": "x" * length}, Metadata(exif=capture.to_exif(Capture(model="y" * length)))
        write_hdr(Hdr(light, metadata=metadata, provenance=made), path)
        assert OpenImageIO.ImageInput.open(str(path)) is not None, OpenImageIO.geterror()
        assert read_hdr(path).provenance == made
