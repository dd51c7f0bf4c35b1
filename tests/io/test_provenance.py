"""How a result was made, written into files and read back, by us and by others."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import OpenImageIO
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from headroom.image import FloatImage, Hdr
from headroom.io import describe, read_hdr, read_photo, write_hdr, write_preview
from headroom.io.jpeg_segments import APP1, XMP, parse_jpeg
from headroom.io.provenance import from_text, from_xmp, into_xmp, to_text

MADE: dict[str, Any] = {
    "headroom": "0.1.0",
    "method": "hybrid_ae",
    "preset": "compact",
    "weights_sha256": "0e" * 32,
    "gain_map": "used (iso)",
    "curve_known": False,
    "max_headroom_stops": None,
    "exposure_ev": -1.5,
    "seed": 7,
}
PACKET = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="a camera"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""

values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
records = st.dictionaries(st.text(), values | st.lists(values), min_size=1)


@given(records)
def test_any_record_survives_text_and_xmp(made: dict[str, Any]) -> None:
    assert from_text(to_text(made)) == made
    assert "\n" not in to_text(made)
    for packet in (None, PACKET):
        written = into_xmp(packet, made)
        assert written is not None
        ElementTree.fromstring(written)
        assert from_xmp(written) == made


def test_a_packet_keeps_what_it_says_and_forgets_an_older_provenance() -> None:
    first = into_xmp(PACKET, {"method": "linear"})
    assert first is not None
    second = into_xmp(first, MADE)
    assert second is not None
    assert b'dc:source="a camera"' in second
    assert second.count(b"headroom:Provenance") == 1
    assert len(into_xmp(second, {"method": "linear"}) or b"") == len(first)
    assert into_xmp(PACKET, {}) == PACKET
    assert into_xmp(b"no RDF", MADE) == b"no RDF"


def test_packets_that_other_tools_wrote_anew_are_read() -> None:
    text = to_text({"method": "a & b"}).replace("&", "&amp;")
    assert from_xmp(f"<headroom:Provenance>{text}</headroom:Provenance>".encode()) == {"method": "a & b"}
    assert from_xmp(f"headroom:Provenance = '{text}'".encode()) == {"method": "a & b"}


@pytest.mark.parametrize("text", ["", "[]", "1", "{", '{"a": NaN}', '{"a": 1e999}', "[" * 100_000, '{"a": -Infinity}'])
def test_nonsense_is_nothing(text: str) -> None:
    assert from_text(text) == {}
    assert from_xmp(b'headroom:Provenance="' + text.encode() + b'"') == {}


@pytest.mark.parametrize("suffix", ["exr", "hdr", "tif", "png", "avif", "jxl"])
def test_hdr_files_carry_it(tmp_path: Path, light: FloatImage, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    write_hdr(Hdr(light, provenance=MADE), path)
    assert read_hdr(path).provenance == describe(path).provenance == MADE


@pytest.mark.parametrize("suffix", ["exr", "hdr", "tif", "png", "avif", "jxl", "pfm"])
def test_files_without_it_have_none(tmp_path: Path, light: FloatImage, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    write_hdr(Hdr(light), path)
    assert read_hdr(path).provenance == describe(path).provenance == {}


def test_other_readers_find_it(tmp_path: Path, light: FloatImage) -> None:
    hdr = Hdr(light, provenance=MADE)
    for name in ("a.exr", "a.hdr", "a.tif"):
        write_hdr(hdr, tmp_path / name)
    assert OpenImageIO.ImageInput.open(str(tmp_path / "a.exr")).spec().getattribute("headroom:method") == "hybrid_ae"
    comments = [line for line in (tmp_path / "a.hdr").read_bytes().split(b"\n\n")[0].splitlines() if line[:1] == b"#"]
    assert json.loads(comments[1].partition(b": ")[2]) == MADE
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert from_xmp(file.pages[0].tags[700].value) == MADE


def test_a_gain_map_jpeg_carries_it_beside_the_base_s_own_packet(tmp_path: Path) -> None:
    codes = np.arange(768, dtype=np.uint8).reshape(16, 16, 3)
    Image.fromarray(codes).save(tmp_path / "a.jpg", xmp=PACKET)
    photo = read_photo(tmp_path / "a.jpg")
    hdr = Hdr(np.full((16, 16, 3), 2, np.float32), photo=photo, metadata=photo.metadata, provenance=MADE)
    write_hdr(hdr, tmp_path / "b.jpg")
    assert describe(tmp_path / "b.jpg").provenance == MADE
    before, after = (parse_jpeg((tmp_path / name).read_bytes()) for name in ("a.jpg", "b.jpg"))
    assert after.scans == before.scans
    packet = after.payload(APP1, XMP)
    assert packet is not None
    assert b'dc:source="a camera"' in packet
    assert b'hdrgm:Version="1.0"' in packet
    assert read_photo(tmp_path / "b.jpg").gain_map is not None


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_previews_carry_it(tmp_path: Path, light: FloatImage, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    write_preview(Hdr(light, provenance=MADE), path)
    assert describe(path).provenance == MADE
    with Image.open(BytesIO(path.read_bytes())) as image:
        packet = image.info["xmp"]
        assert from_xmp(packet if isinstance(packet, bytes) else packet.encode()) == MADE
