"""Wide colours of every format with an ICC profile: from file to file as LittleCMS converts them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("pillow_heif")

import pillow_heif
from makers import heic

from headroom.colour.icc import profile_for
from headroom.image import Encoding, Metadata
from headroom.io import read_photo
from headroom.io.convert import convert
from headroom.io.png_file import with_chunks

SPACES = [Encoding("p3"), Encoding("adobe-rgb", "adobe-rgb"), Encoding("bt2020", "bt709")]
LOSSLESS = {"webp": {"lossless": True}, "avif": {"quality": 100}, "heic": {"quality": -1}}


def by_pillow(path: Path, codes: NDArray[np.uint8], icc: bytes) -> None:
    pillow_heif.register_heif_opener()
    Image.fromarray(codes).save(path, icc_profile=icc, **LOSSLESS.get(path.suffix[1:], {}))


def deep_png(path: Path, codes: NDArray[np.uint8], icc: bytes) -> None:
    chunk = (b"iCCP", b"a profile\0\0" + zlib.compress(icc))
    path.write_bytes(with_chunks(bytes(imagecodecs.png_encode(codes.astype(np.uint16) * 257)), [chunk], Metadata()))


def deep_tiff(path: Path, codes: NDArray[np.uint8], icc: bytes) -> None:
    tifffile.imwrite(path, codes.astype(np.uint16) * 257, photometric="rgb", iccprofile=icc, metadata=None)


def deep_heic(path: Path, codes: NDArray[np.uint8], icc: bytes) -> None:
    path.write_bytes(heic(codes.astype(np.uint16) * 4, 10, icc_profile=icc))


def jpeg_xl(path: Path, codes: NDArray[np.uint8], icc: bytes) -> None:
    stream = BytesIO()
    Image.fromarray(codes).save(stream, "JPEG", quality=95, icc_profile=icc)
    path.write_bytes(imagecodecs.jpegxl_encode_jpeg(stream.getvalue()))


FORMATS = {
    "jpg": by_pillow, "png": by_pillow, "webp": by_pillow, "tif": by_pillow, "avif": by_pillow, "heic": by_pillow,
    "16.png": deep_png, "16.tif": deep_tiff, "10.heic": deep_heic, "jxl": jpeg_xl,
}  # fmt: skip


@pytest.mark.parametrize("encoding", SPACES, ids=lambda encoding: encoding.primaries)
@pytest.mark.parametrize("suffix", FORMATS)
def test_half_a_code(tmp_path: Path, suffix: str, encoding: Encoding) -> None:
    blocks = np.random.default_rng(1).integers(0, 256, (8, 8, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    icc = profile_for(encoding)
    source = tmp_path / f"a.{suffix}"
    FORMATS[suffix](source, blocks, icc)
    photo = read_photo(source)
    assert photo.encoding == encoding
    assert photo.metadata.icc == icc
    convert(source, tmp_path / "b.png", primaries="bt709", bit_depth=16)
    ours = imagecodecs.png_decode((tmp_path / "b.png").read_bytes()) / 257
    theirs = by_littlecms(photo.codes / photo.top_code, icc)
    assert np.abs(ours - theirs).max() < 0.5
    assert np.abs(theirs - photo.codes * (255 / photo.top_code)).max() > 20


@pytest.mark.parametrize("make", [deep_png, deep_tiff])
def test_profiles_without_a_name_in_16_bits(tmp_path: Path, make: Callable[..., None]) -> None:
    codes = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    icc = profile_for(Encoding("p3")).replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    make(tmp_path / "a", codes, icc)
    photo = read_photo(tmp_path / "a")
    assert photo.encoding == Encoding()
    assert np.abs(photo.codes / 257 - by_littlecms(codes / 255, icc)).max() < 0.5


def by_littlecms(shares: NDArray[np.float64], icc: bytes) -> NDArray[np.float32]:
    """Return sRGB codes, 0 to 255; in floats LittleCMS takes no shortcuts."""
    source = shares.astype(np.float32)
    target = imagecodecs.cms_profile("srgb")
    light = imagecodecs.cms_transform(source, icc, target, colorspace="rgb", outcolorspace="rgb", intent=1)
    return np.clip(light, 0, 1) * 255
