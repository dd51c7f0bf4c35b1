"""Which curve and primaries a file is taken to have."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from headroom.colour.icc import profile_for
from headroom.colour.primaries import CHROMATICITIES, D65_XY
from headroom.image import Encoding, GainMap
from headroom.io import describe, read_photo
from headroom.io.convert import as_hdr
from headroom.io.gain_map_jpeg import gain_map_jpeg

SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Two colorants change places: a valid profile of primaries that no `Encoding` can name.
ODD_PROFILE = SRGB_PROFILE.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def png_with(picture: NDArray[np.uint8], path: Path, **chunks: bytes) -> Path:
    """Insert chunks behind the header of a PNG file."""
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    data = stream.getvalue()
    framed = b"".join(
        struct.pack(">I", len(body)) + kind.encode() + body + struct.pack(">I", zlib.crc32(kind.encode() + body))
        for kind, body in chunks.items()
    )
    path.write_bytes(data[:33] + framed + data[33:])
    return path


def chrm(name: str) -> bytes:
    numbers = [*D65_XY, *(value for xy in CHROMATICITIES[name] for value in xy)]
    return struct.pack(">8I", *(round(value * 100_000) for value in numbers))


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ({}, Encoding(known=False)),
        ({"sRGB": b"\0"}, Encoding()),
        ({"gAMA": struct.pack(">I", 45455)}, Encoding(transfer="gamma22")),
        ({"gAMA": struct.pack(">I", 100_000), "cHRM": chrm("p3")}, Encoding("p3", "linear")),
        ({"gAMA": struct.pack(">I", 55556), "cHRM": chrm("bt2020")}, Encoding("bt2020", "gamma18")),
        ({"gAMA": struct.pack(">I", 1)}, Encoding(known=False)),
        ({"cICP": b"\x09\x10\0\1", "sRGB": b"\0"}, Encoding("bt2020", "pq")),
        ({"cICP": b"\x09\x12\0\1"}, Encoding("bt2020", "hlg")),
        ({"cICP": b"\x0c\x0d\0\1", "gAMA": struct.pack(">I", 45455)}, Encoding("p3", "srgb")),
        ({"cICP": b"\x0c\x0d\0\0"}, Encoding(known=False)),  # narrow range
        ({"cICP": b"\xff\xff\0\1", "sRGB": b"\0"}, Encoding()),
    ],
)
def test_png_chunks(tmp_path: Path, picture: NDArray[np.uint8], chunks: dict[str, bytes], expected: Encoding) -> None:
    path = png_with(picture, tmp_path / "a.png", **chunks)
    assert describe(path).encoding == expected
    if expected.transfer not in {"pq", "hlg"}:  # those are HDR images
        assert read_photo(path).encoding == expected


def test_png_with_another_gamma_gets_a_table(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    encoding = read_photo(png_with(picture, tmp_path / "a.png", gAMA=struct.pack(">I", 50_000))).encoding
    assert encoding.transfer is None
    assert encoding.table is not None
    codes = np.linspace(0, 1, len(encoding.table))
    np.testing.assert_allclose(encoding.table, codes**2, atol=1e-7)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize(
    "encoding", [Encoding(), Encoding("p3"), Encoding("bt2020", "bt709"), Encoding("adobe-rgb", "adobe-rgb")]
)
def test_icc_profile(tmp_path: Path, picture: NDArray[np.uint8], suffix: str, encoding: Encoding) -> None:
    icc = profile_for(encoding)
    Image.fromarray(picture).save(tmp_path / f"a{suffix}", icc_profile=icc)
    photo = read_photo(tmp_path / f"a{suffix}")
    assert photo.encoding == encoding
    assert photo.metadata.icc == icc


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_other_profiles_are_applied_as_littlecms_does(tmp_path: Path, picture: NDArray[np.uint8], suffix: str) -> None:
    image = Image.fromarray(picture)
    image.save(tmp_path / f"a{suffix}", icc_profile=ODD_PROFILE)
    photo = read_photo(tmp_path / f"a{suffix}")
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    expected = ImageCms.profileToProfile(image, BytesIO(ODD_PROFILE), BytesIO(SRGB_PROFILE), renderingIntent=intent)
    assert np.abs(photo.codes.astype(int) - np.asarray(expected)).max() <= 1
    assert np.abs(photo.codes.astype(int) - picture).max() > 100
    assert photo.encoding == describe(tmp_path / f"a{suffix}").encoding == Encoding()
    assert photo.metadata.icc is None


def test_a_gain_map_is_applied_to_converted_codes(tmp_path: Path) -> None:
    stream = BytesIO()
    Image.new("RGB", (16, 16), (200, 120, 150)).save(stream, "JPEG", quality=100, icc_profile=ODD_PROFILE)
    no_gain = GainMap(np.zeros((16, 16), np.uint8))
    (tmp_path / "a.jpg").write_bytes(gain_map_jpeg(stream.getvalue(), no_gain))
    photo = read_photo(tmp_path / "a.jpg")
    encoded = as_hdr(photo).pixels[0, 0] / (photo.codes[0, 0] / 255) ** 2.2
    np.testing.assert_allclose(encoded, 1, atol=0.1)


@pytest.mark.parametrize("profile", [b"not a profile", SRGB_PROFILE[:150], SRGB_PROFILE[:128] + bytes(400)])
def test_damaged_profile_counts_as_unknown_srgb(tmp_path: Path, picture: NDArray[np.uint8], profile: bytes) -> None:
    Image.fromarray(picture).save(tmp_path / "a.png", icc_profile=profile)
    photo = read_photo(tmp_path / "a.png")
    assert photo.encoding == Encoding(known=False)
    assert np.array_equal(photo.codes, picture)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, Encoding(known=False)),
        ({0xA001: 1}, Encoding()),
        ({0xA001: 0xFFFF}, Encoding(known=False)),
        ({0xA001: 0xFFFF, 0xA005: {1: "R03"}}, Encoding("adobe-rgb", "adobe-rgb")),
    ],
)
def test_exif_colour_space(
    tmp_path: Path, picture: NDArray[np.uint8], tags: dict[int, object], expected: Encoding
) -> None:
    block = Image.Exif()
    block.get_ifd(0x8769).update(tags)
    Image.fromarray(picture).save(tmp_path / "a.jpg", exif=block)
    assert read_photo(tmp_path / "a.jpg").encoding == expected


def test_xmp_is_found(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    packet = b"<x:xmpmeta/>"
    Image.fromarray(picture).save(tmp_path / "a.jpg", xmp=packet)
    Image.fromarray(picture).save(tmp_path / "a.webp", xmp=packet)
    png_with(picture, tmp_path / "a.png", iTXt=b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    png_with(picture, tmp_path / "b.png", iTXt=b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet))
    for name in ("a.jpg", "a.webp", "a.png", "b.png"):
        assert read_photo(tmp_path / name).metadata.xmp == packet
        assert describe(tmp_path / name).has_xmp
