"""AVIF and HEIC in: codes, depth, colours, turns and metadata as other libraries see them."""

from __future__ import annotations

import struct
import sys
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

pytest.importorskip("pillow_heif")

import pillow_heif
from makers import heic

from headroom.colour import transfer
from headroom.colour.icc import profile_for
from headroom.errors import CorruptFile, LimitExceeded, MissingDependency
from headroom.image import Encoding
from headroom.io import describe, read_hdr, read_photo

DEEP = (np.random.default_rng(2).integers(0, 256, (5, 7, 3)).repeat(16, 0).repeat(16, 1)).astype(np.uint16)


@pytest.mark.parametrize("turn", range(1, 9))
def test_avif_turns(tmp_path: Path, picture: NDArray[np.uint8], turn: int) -> None:
    exif = Image.Exif()
    exif[274] = turn
    Image.fromarray(picture).save(tmp_path / "a.avif", exif=exif, quality=100, subsampling="4:4:4")
    with Image.open(tmp_path / "a.avif") as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    photo = read_photo(tmp_path / "a.avif")
    np.testing.assert_allclose(photo.codes, expected.astype(int), atol=1)
    facts = describe(tmp_path / "a.avif")
    assert facts.orientation == turn
    assert (facts.height, facts.width) == expected.shape[:2]


@pytest.mark.parametrize("turn", range(1, 9))
def test_heic_turns(tmp_path: Path, picture: NDArray[np.uint8], turn: int) -> None:
    exif = Image.Exif()
    exif[274] = turn
    image = pillow_heif.from_pillow(Image.fromarray(picture.repeat(8, 0).repeat(8, 1)))
    image.save(tmp_path / "a.heic", exif=exif.tobytes(), quality=100, chroma=444)
    expected = np.asarray(pillow_heif.open_heif(tmp_path / "a.heic").to_pillow())
    photo = read_photo(tmp_path / "a.heic")
    assert np.array_equal(photo.codes, expected)
    facts = describe(tmp_path / "a.heic")
    assert (facts.height, facts.width) == expected.shape[:2]


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("shape", [(12, 17, 3), (12, 17)])
def test_avif_depths(tmp_path: Path, bits: int, shape: tuple[int, ...]) -> None:
    codes = np.random.default_rng(bits).integers(0, 2**bits, shape).astype(np.uint8 if bits == 8 else np.uint16)
    matrix = 0 if len(shape) == 3 else None
    options = {"primaries": 12, "transfer": 13, "matrix": matrix}
    (tmp_path / "a.avif").write_bytes(imagecodecs.avif_encode(codes, 100, speed=9, bitspersample=bits, **options))
    photo = read_photo(tmp_path / "a.avif")
    assert np.array_equal(photo.codes, codes if len(shape) == 3 else np.repeat(codes[..., None], 3, axis=2))
    assert (photo.bit_depth, photo.encoding) == (bits, Encoding("p3", "srgb"))


@pytest.mark.parametrize("bits", [10, 12])
def test_heic_of_more_bits(tmp_path: Path, bits: int) -> None:
    codes = DEEP << (bits - 8)
    options = {"color_primaries": 12, "transfer_characteristics": 13, "matrix_coefficients": 6}
    (tmp_path / "a.heic").write_bytes(heic(codes, bits, **options))
    photo = read_photo(tmp_path / "a.heic")
    assert (photo.bit_depth, photo.encoding) == (bits, Encoding("p3", "srgb"))
    assert np.abs(photo.codes.astype(int) - codes).mean() < 2 ** (bits - 8)


def test_heic_in_pq_is_an_hdr_image(tmp_path: Path) -> None:
    codes = DEEP << 2
    options = {"color_primaries": 9, "transfer_characteristics": 16, "matrix_coefficients": 9}
    (tmp_path / "a.heic").write_bytes(heic(codes, 10, **options))
    result = read_hdr(tmp_path / "a.heic")
    assert result.primaries == "bt2020"
    assert np.abs(transfer.encode(result.pixels, "pq") * 1023 - codes).mean() < 4


@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_profile_is_honoured(tmp_path: Path, picture: NDArray[np.uint8], suffix: str) -> None:
    pillow_heif.register_heif_opener()
    profile = profile_for(Encoding("adobe-rgb", "adobe-rgb"))
    Image.fromarray(picture).save(tmp_path / f"a.{suffix}", icc_profile=profile)
    facts = describe(tmp_path / f"a.{suffix}")
    assert facts.encoding == Encoding("adobe-rgb", "adobe-rgb")
    assert facts.metadata.icc == profile
    assert facts.lossy_step > 0


def test_odd_profile_of_more_than_8_bits_is_applied(tmp_path: Path) -> None:
    codes = DEEP << 2
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    odd = profile.replace(b"rXYZ", b"0XYZ").replace(b"gXYZ", b"rXYZ").replace(b"0XYZ", b"gXYZ")  # red is green
    (tmp_path / "a.heic").write_bytes(heic(codes, 10, icc_profile=odd))
    photo = read_photo(tmp_path / "a.heic")
    assert (photo.bit_depth, photo.encoding) == (16, Encoding())
    expected = (codes[..., [1, 0, 2]] * (65535 / 1023)).astype(int)
    assert np.abs(photo.codes.astype(int) - expected).mean() < 300


@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_metadata(tmp_path: Path, picture: NDArray[np.uint8], suffix: str) -> None:
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[271] = "Abc"
    Image.fromarray(picture).save(tmp_path / f"a.{suffix}", exif=exif, xmp=b"<x:xmpmeta/>")
    metadata = describe(tmp_path / f"a.{suffix}").metadata
    found = Image.Exif()
    found.load(metadata.exif)
    assert found[271] == "Abc"
    assert metadata.xmp == b"<x:xmpmeta/>"


def avif(picture: NDArray[np.uint8]) -> bytearray:
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "AVIF")
    return bytearray(stream.getvalue())


def test_brand_of_any_codec(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    content = avif(picture)
    assert content[8:12] == content[16:20] == b"avif"
    content[8:12] = b"mif1"
    (tmp_path / "a").write_bytes(content)
    assert describe(tmp_path / "a").container == "avif"


def test_huge_declared_size_is_refused(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    content = avif(picture)
    struct.pack_into(">II", content, content.index(b"ispe") + 8, 60_000, 60_000)
    (tmp_path / "a").write_bytes(content)
    for function in (read_photo, describe):
        with pytest.raises(LimitExceeded, match="60000 x 60000"):
            function(tmp_path / "a")


@pytest.mark.parametrize("kind", [b"meta", b"pitm", b"iprp", b"ipco", b"ipma", b"ispe", b"iinf", b"iloc"])
def test_missing_boxes(tmp_path: Path, picture: NDArray[np.uint8], kind: bytes) -> None:
    content = avif(picture)
    content[content.index(kind) : content.index(kind) + 4] = b"none"
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(CorruptFile):
        read_photo(tmp_path / "a")


def test_missing_package_is_named_with_the_line_to_type(
    tmp_path: Path, picture: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    pillow_heif.from_pillow(Image.fromarray(picture)).save(tmp_path / "a.heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingDependency, match=r"a\.heic: .*pip install 'headroom-hdr\[heif\]'"):
        read_photo(tmp_path / "a.heic")
