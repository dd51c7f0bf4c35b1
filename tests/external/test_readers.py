"""Programs of others that open our files: exiftool, Chromium, Pillow, libultrahdr, OpenImageIO, avifdec and jxlinfo.

`make test-external` installs what is missing here; otherwise these tests skip and name it.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import OpenImageIO
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.MpoImagePlugin import MpoImageFile

from headroom.colour.transfer import decode_codes
from headroom.image import Hdr
from headroom.io import read_photo, write_hdr
from headroom.io.convert import convert

pytestmark = pytest.mark.external

# A fresh profile and no talk to the network; the sandbox needs rights that a container does not have.
CHROMIUM_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-sync", "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
# A page counts as loaded once its picture was drawn, which decodes it there and then.
PAGE = """<body><script>function draw(i) {
  const c = document.createElement("canvas"); c.width = i.naturalWidth; c.height = i.naturalHeight;
  const g = c.getContext("2d"); g.drawImage(i, 0, 0);
  const pixels = [...g.getImageData(0, 0, c.width, c.height).data];
  document.body.textContent = "pixels:" + JSON.stringify([c.width, c.height, pixels]);
}</script><img src="data:image/%s;base64,%s" onload="draw(this)"></body>"""


def run(program: str, *words: str | Path) -> str:
    """Return what a program says; skip where it is missing."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed; run `make test-external`")
    return subprocess.run([path, *words], check=True, capture_output=True, text=True, timeout=100).stdout


@pytest.fixture
def hdr(tmp_path: Path) -> Hdr:
    """Return 40 x 56 pixels of light up to four times white, with the JPEG photo behind it."""
    y, x = np.mgrid[:40, :56]
    codes = np.stack([40 + x * 3, 60 + y * 4, 240 - x * 2], axis=-1).astype(np.uint8)
    Image.fromarray(codes).save(tmp_path / "photo.jpg", quality=95, subsampling=0)
    photo = read_photo(tmp_path / "photo.jpg")
    return Hdr(decode_codes(photo.codes, photo.encoding, 8) * np.float32(4), photo=photo)


@pytest.fixture
def gain_map_file(tmp_path: Path, hdr: Hdr) -> Path:
    path = tmp_path / "gain.jpg"
    write_hdr(hdr, path)
    return path


def test_exiftool_lists_both_pictures_and_the_directory(gain_map_file: Path) -> None:
    (tags,) = json.loads(run("exiftool", "-json", "-a", "-G1", "-struct", gain_map_file))
    assert tags["MPF0:NumberOfImages"] == 2
    first, second = (tags[f"MPImage{i}:MPImageLength"] for i in (1, 2))
    assert tags["MPImage2:MPImageStart"] == first
    assert first + second == gain_map_file.stat().st_size
    items = [item["Item"] for item in tags["XMP-Container:Directory"]]
    assert [item["Semantic"] for item in items] == ["Primary", "GainMap"]
    assert items[1]["Length"] == second
    assert float(tags["XMP-hdrgm:Version"]) == 1


def test_exiftool_reads_the_numbers_of_the_map(gain_map_file: Path, tmp_path: Path) -> None:
    with MpoImageFile(BytesIO(gain_map_file.read_bytes())) as image:
        start = image.mpinfo[0xB002][1]["DataOffset"]
        start += gain_map_file.read_bytes().index(b"MPF\0") + 4
    (tmp_path / "map.jpg").write_bytes(gain_map_file.read_bytes()[start:])
    (tags,) = json.loads(run("exiftool", "-json", "-G1", tmp_path / "map.jpg"))
    gain_map = read_photo(gain_map_file).gain_map
    assert gain_map is not None
    assert tags["XMP-hdrgm:GainMapMax"] == pytest.approx(gain_map.maximum[0], abs=1e-5)
    assert tags["XMP-hdrgm:HDRCapacityMax"] == pytest.approx(gain_map.alternate_headroom, abs=1e-5)


def drawn_by_chromium(path: Path, kind: str) -> NDArray[np.int_]:
    """Return the sRGB codes, H x W x 3, that a page reads back after drawing a picture.

    Without a screen there is no HDR to be seen: even with a forced HDR profile a headless Chromium draws the base.
    """
    page = path.with_suffix(".html")
    page.write_text(PAGE % (kind, base64.b64encode(path.read_bytes()).decode()))
    profile = f"--user-data-dir={path.with_name('profile')}"
    document = run("chromium", *CHROMIUM_FLAGS, profile, "--dump-dom", page.as_uri())
    found = re.search(r"pixels:(\[.*?\])<", document)
    assert found, document[-300:]
    width, height, values = json.loads(found[1])
    return np.array(values).reshape(height, width, 4)[..., :3]


def test_chromium_draws_the_base(gain_map_file: Path, tmp_path: Path) -> None:
    base = np.asarray(Image.open(tmp_path / "photo.jpg"), int)
    drawn = drawn_by_chromium(gain_map_file, "jpeg")
    assert drawn.shape == base.shape
    assert np.abs(drawn - base).max() <= 2


@pytest.mark.parametrize("kind", ["avif", "png", "webp"])
def test_chromium_draws_what_is_no_brighter_than_white(hdr: Hdr, tmp_path: Path, kind: str) -> None:
    """PQ of pictures without highlights is shown as the photo that they came from."""
    assert hdr.photo is not None
    convert(tmp_path / "photo.jpg", tmp_path / f"a.{kind}")
    drawn = drawn_by_chromium(tmp_path / f"a.{kind}", kind)
    assert drawn.shape == hdr.photo.codes.shape
    assert np.abs(drawn - hdr.photo.codes.astype(int)).mean() < 4


def test_pillow_opens_a_multi_picture_file(gain_map_file: Path, hdr: Hdr) -> None:
    with Image.open(gain_map_file) as image:
        base = np.asarray(image)
    assert hdr.photo is not None
    assert np.array_equal(base, hdr.photo.codes)
    with MpoImageFile(BytesIO(gain_map_file.read_bytes())) as image:
        image.seek(1)
        assert (image.n_frames, image.size) == (2, (56, 40))


def test_libultrahdr_and_openimageio_decode_it(gain_map_file: Path, hdr: Hdr) -> None:
    one = imagecodecs.ultrahdr_decode(gain_map_file.read_bytes(), dtype=np.float16)[..., :3].astype(np.float32)
    two = OpenImageIO.ImageBuf(str(gain_map_file)).get_pixels(OpenImageIO.FLOAT)[..., :3]
    np.testing.assert_allclose(one, two, rtol=2e-3, atol=2e-3)
    assert np.median(np.abs(one - hdr.pixels) / hdr.pixels) < 0.02


def test_avifdec_names_the_colours(hdr: Hdr, tmp_path: Path) -> None:
    write_hdr(hdr, tmp_path / "a.avif")
    info = run("avifdec", "--info", tmp_path / "a.avif")
    assert re.search(r"Transfer Char\. *: 16", info)  # PQ
    assert re.search(r"Bit Depth *: 10", info)
    assert re.search(r"Resolution *: 56x40", info)


def test_jxlinfo_names_the_floats(hdr: Hdr, tmp_path: Path) -> None:
    write_hdr(hdr, tmp_path / "a.jxl")
    info = run("jxlinfo", tmp_path / "a.jxl")
    assert "56x40" in info
    assert "Linear transfer function" in info
