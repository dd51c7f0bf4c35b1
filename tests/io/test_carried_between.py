"""EXIF, XMP and wide colours from every kind of file that holds them into every other, as others see them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

pytest.importorskip("pillow_heif")
pytest.importorskip("rawpy")

import pillow_heif
from makers import dng
from test_carried_over import PACKET, exif_block, light_in_bt709, seen

from headroom.colour.icc import profile_for
from headroom.image import Encoding
from headroom.io import describe, tiff_exif, tiff_file
from headroom.io.convert import convert

TARGETS = ("jpg", "png", "webp", "tif", "exr", "avif", "jxl", "hdr")
GREEN = (15, 150, 20)  # in Display P3 outside of BT.709, and dark enough to look the same in SDR
TOLERANCE = 0.01  # of lossy sources and targets


def by_pillow(path: Path) -> None:
    pillow_heif.register_heif_opener()
    block, text = exif_block(), PngInfo()
    block[0x0112] = 1
    text.add_itxt("XML:com.adobe.xmp", PACKET.decode())
    options = {"pnginfo": text} if path.suffix == ".png" else {"xmp": PACKET, "quality": 97}
    codes = np.full((40, 64, 3), GREEN, np.uint8)
    Image.fromarray(codes).save(path, exif=block, icc_profile=profile_for(Encoding("p3")), **options)


def by_us(path: Path, **options: object) -> None:
    by_pillow(path.with_name("before.jpg"))
    convert(path.with_name("before.jpg"), path, **options)


def gain_map_jpeg(path: Path) -> None:
    by_us(path.with_name("before.exr"))
    convert(path.with_name("before.exr"), path)


SOURCES: dict[str, Callable[[Path], None]] = {
    **dict.fromkeys(("a.jpg", "a.png", "a.webp", "a.avif", "a.heic"), by_pillow),
    **dict.fromkeys(("a.tif", "a.exr", "pq.avif", "a.jxl"), by_us),
    "float.tif": lambda path: by_us(path, bit_depth=32),
    "gain map.jpg": gain_map_jpeg,
}


@pytest.mark.parametrize("source", SOURCES)
def test_all_that_came_with_a_file(tmp_path: Path, source: str) -> None:
    SOURCES[source](tmp_path / source)
    for suffix in TARGETS:
        out = tmp_path / f"out.{suffix}"
        convert(tmp_path / source, out)
        np.testing.assert_allclose(light_in_bt709(out), light_in_bt709(tmp_path / source), atol=TOLERANCE)
        assert light_in_bt709(out).min() < -0.03
        if suffix != "hdr":
            assert_all_is_there(out)
            assert b'dc:source="a camera"' in out.read_bytes()


def test_camera_raw_brings_its_exif(tmp_path: Path) -> None:
    """Its XMP stays behind: it tells a raw developer what is still to be done to the picture."""
    (tmp_path / "a.dng").write_bytes(dng(np.full((40, 60, 3), 0.4)))
    block = exif_block()
    block[0x0112] = 1
    tiff_file._extend(tmp_path / "a.dng", tiff_exif.picture_tags(block.tobytes().removeprefix(b"Exif\0\0")))
    assert describe(tmp_path / "a.dng").container == "raw"
    for suffix in TARGETS[:-1]:
        convert(tmp_path / "a.dng", tmp_path / f"out.{suffix}")
        assert_all_is_there(tmp_path / f"out.{suffix}")


def assert_all_is_there(path: Path) -> None:
    found = seen(path)
    assert (found.make, found.taken, found.orientation or 1) == ("A maker", "2026:11:21 08:00:00", 1)
    assert (found.exposure_s, found.f_number, found.iso) == pytest.approx((1 / 250, 2.8, 400), rel=1e-6)
    assert found.latitude_deg == pytest.approx(47 + 22 / 60 + 6.5 / 3600, rel=1e-6)
