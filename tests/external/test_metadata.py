"""exiftool finds camera, time, position and provenance in every format that is written, and no position after it went.

`make test-external` installs exiftool where it is missing; otherwise these tests skip and name it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from headroom import expand, read_photo, write_hdr
from headroom.io.convert import convert
from headroom.io.gps import without_gps

pytestmark = pytest.mark.external

Write = Callable[..., dict[str, Any]]

PHOTOS = [("convert", suffix) for suffix in ("png", "webp", "tif")]
LIGHT = [("expand", suffix) for suffix in ("jpg", "png", "tif", "exr", "avif", "jxl")]


@pytest.fixture
def tags_of(tmp_path: Path) -> Write:
    """Return a function that writes a photo in a way and a format and gives what exiftool says about it."""
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip("exiftool is not installed; run `make test-external`")
    block = Image.Exif()
    block[0x010F] = "A maker"
    inner = {0x9003: "2026:11:21 08:00:00", 0x829A: IFDRational(1, 250), 0x829D: IFDRational(28, 10), 0x8827: 400}
    block.get_ifd(0x8769).update(inner)
    block.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 6.5), 3: "W", 4: (8.0, 32.0, 30.25)})
    source = tmp_path / "photo.jpg"
    Image.fromarray(np.full((40, 56, 3), 120, np.uint8)).save(source, exif=block)

    def write(way: str, suffix: str, *, strip_gps: bool) -> dict[str, Any]:
        out = tmp_path / f"out.{suffix}"
        if way == "convert":
            convert(source, out, strip_gps=strip_gps)
        else:
            photo = read_photo(source)
            write_hdr(expand(without_gps(photo) if strip_gps else photo, method="linear"), out)
        words = [program, "-json", "-n", "-a", out]
        result = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
        (tags,) = json.loads(result.stdout)
        return dict(tags)

    return write


@pytest.mark.parametrize(("way", "suffix"), PHOTOS + LIGHT)
def test_exiftool_finds_what_came_with_the_photo(tags_of: Write, way: str, suffix: str) -> None:
    tags = tags_of(way, suffix, strip_gps=False)
    names = ("CameraMake", "Aperture") if suffix == "exr" else ("Make", "FNumber")
    assert (tags[names[0]], tags["DateTimeOriginal"]) == ("A maker", "2026:11:21 08:00:00")
    numbers = [float(tags[name]) for name in ("ExposureTime", names[1], "ISO")]
    assert numbers == pytest.approx([1 / 250, 2.8, 400], rel=1e-6)
    latitude, longitude = (float(tags[name]) for name in ("GPSLatitude", "GPSLongitude"))
    assert (latitude, abs(longitude)) == pytest.approx((47.368472, 8.541736), abs=1e-5)
    assert tags.get("GPSLongitudeRef", "W" if longitude < 0 else "E") == "W"
    made = tags["HeadroomMethod"] if suffix == "exr" else json.loads(tags["Provenance"])["method"]
    assert made == ("convert" if way == "convert" else "linear")


@pytest.mark.parametrize(("way", "suffix"), [*PHOTOS, ("convert", "jpg"), *LIGHT, ("expand", "hdr")])
def test_exiftool_finds_no_position_after_it_went(tags_of: Write, way: str, suffix: str) -> None:
    tags = tags_of(way, suffix, strip_gps=True)
    assert not [name for name in tags if "GPS" in name or name == "Latlong"]
    assert "A maker" in tags.values()


def test_exiftool_finds_what_radiance_has_names_for(tags_of: Write) -> None:
    tags = tags_of("expand", "hdr", strip_gps=False)
    assert (tags["Camera"], tags["Capdate"]) == ("A maker", "2026:11:21 08:00:00")
    assert tags["Latlong"] == "47.368472 -8.541736"
