"""PQ and HLG go out and come back within half a code, and other libraries see the same codes and tags."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import OpenImageIO
import pytest
import tifffile
from PIL import Image

import colour
from headroom.colour import transfer
from headroom.colour.primaries import convert
from headroom.errors import UsageError
from headroom.image import FloatImage, Hdr, Metadata
from headroom.io import describe, read_hdr, write_hdr
from headroom.io.options import WriteOptions

EXIF = b"II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0\x04\0\0\0Abc\0\0\0\0\0"
LOSSLESS = {
    "png": (WriteOptions(), 16),
    "tif": (WriteOptions(transfer="pq"), 16),
    "avif": (WriteOptions(quality=100, bit_depth=12), 12),
    "jxl": (WriteOptions(transfer="pq", quality=100), 16),
}


@pytest.fixture
def scene() -> FloatImage:
    """Return 20 x 30 x 3 linear light of thirteen stops; its brightest component is 32."""
    pixels = np.exp2(np.random.default_rng(3).uniform(-8, 5, (20, 30, 3))).astype(np.float32)
    pixels[0, 0] = [32, 0, 1]
    return pixels


def cicp_of(path: Path) -> tuple[int, ...]:
    """Return the code points that OpenImageIO sees; of AVIF, which it does not read, those behind the box's name."""
    if path.suffix == ".avif":
        content = path.read_bytes()
        return struct.unpack_from(">HH", content, content.index(b"colrnclx") + 8)
    image = OpenImageIO.ImageInput.open(str(path))
    return tuple(image.spec().getattribute("CICP")[:2])


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_pq_comes_back_within_half_a_code(tmp_path: Path, scene: FloatImage, suffix: str) -> None:
    path, (options, bits) = tmp_path / f"a.{suffix}", LOSSLESS[suffix]
    write_hdr(Hdr(scene, "bt2020"), path, options=options)
    result = read_hdr(path)
    top = 2**bits - 1
    error = np.abs(transfer.encode(result.pixels, "pq") - transfer.encode(scene, "pq")) * top
    assert error.max() < 0.5 + top * 1e-6
    assert result.primaries == "bt2020"
    facts = describe(path)
    assert (facts.kind, facts.bit_depth, facts.encoding.transfer, facts.width) == ("hdr", bits, "pq", 30)


def test_other_libraries_read_the_same_codes(tmp_path: Path, scene: FloatImage) -> None:
    expected = transfer.encode(scene, "pq")
    for suffix, (options, bits) in LOSSLESS.items():
        write_hdr(Hdr(scene), tmp_path / f"a.{suffix}", options=options)
        content = (tmp_path / f"a.{suffix}").read_bytes()
        match suffix:
            case "png":
                codes = np.asarray(OpenImageIO.ImageInput.open(str(tmp_path / "a.png")).read_image("uint16"))
            case "tif":
                codes = tifffile.imread(tmp_path / "a.tif")
            case "avif":
                codes = imagecodecs.avif_decode(content)
                with Image.open(tmp_path / "a.avif") as image:
                    assert image.size == (30, 20)
            case "jxl":
                codes = imagecodecs.jpegxl_decode(content)
        np.testing.assert_allclose(codes / (2**bits - 1), expected, atol=0.501 / (2**bits - 1))


@pytest.mark.parametrize("suffix", ["png", "avif", "jxl"])
@pytest.mark.parametrize("curve", ["pq", "hlg"])
def test_code_points(tmp_path: Path, scene: FloatImage, suffix: str, curve: str) -> None:
    for primaries, code in (("bt709", 1), ("p3", 12), ("bt2020", 9), ("adobe-rgb", 9)):
        path = tmp_path / f"{primaries}.{suffix}"
        write_hdr(Hdr(scene, primaries), path, options=WriteOptions(transfer=curve))
        assert cicp_of(path) == (code, {"pq": 16, "hlg": 18}[curve])


@pytest.mark.parametrize("primaries", ["bt709", "p3", "bt2020"])
@pytest.mark.parametrize("curve", ["pq", "hlg"])
def test_tiff_profile_names_curve_and_primaries(tmp_path: Path, scene: FloatImage, primaries: str, curve: str) -> None:
    write_hdr(Hdr(scene, primaries), tmp_path / "a.tif", options=WriteOptions(transfer=curve))
    encoding = describe(tmp_path / "a.tif").encoding
    assert (encoding.primaries, encoding.transfer) == (primaries, curve)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        profile = file.pages[0].tags["InterColorProfile"].value
    codes = np.full((1, 1, 3), 60_000, np.uint16)
    # LittleCMS, which knows no cicp tag, finds the same curve relative to its peak.
    srgb = imagecodecs.cms_transform(
        codes, profile, imagecodecs.cms_profile("srgb"), colorspace="rgb", outcolorspace="rgb"
    )
    light, peak = (transfer.decode(grey / 65535, curve)[0, 0, 1] for grey in (codes, np.full((1, 1, 3), 65_535)))
    assert srgb[0, 0, 1] / 65535 == pytest.approx(float(transfer.encode(light / peak, "srgb")), abs=0.002)


def test_wide_colours_without_a_number_become_bt2020(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 3), [0.0, 1.0, 0.0], np.float32)
    write_hdr(Hdr(pixels, "adobe-rgb"), tmp_path / "a.png")
    result = read_hdr(tmp_path / "a.png")
    assert result.primaries == "bt2020"
    np.testing.assert_allclose(result.pixels, convert(pixels, "adobe-rgb", "bt2020"), atol=1e-3)


def test_hlg_comes_back(tmp_path: Path, scene: FloatImage) -> None:
    pixels = np.minimum(scene, 1)
    write_hdr(Hdr(pixels, "bt2020"), tmp_path / "a.png", options=WriteOptions(transfer="hlg"))
    np.testing.assert_allclose(read_hdr(tmp_path / "a.png").pixels, pixels, rtol=2e-3, atol=1e-5)


def stated_levels(path: Path) -> tuple[float, float]:
    """Return MaxCLL and MaxFALL in cd/m2 as the file states them."""
    content = path.read_bytes()
    if path.suffix == ".png":
        first, second = struct.unpack_from(">II", content, content.index(b"cLLI") + 4)
        return first / 10_000, second / 10_000
    return struct.unpack_from(">HH", content, content.index(b"clli") + 4)


@pytest.mark.parametrize("bright", [1, 1000])
@pytest.mark.parametrize("curve", ["pq", "hlg"])
@pytest.mark.parametrize(
    ("suffix", "options", "unit"),
    [("png", WriteOptions(), 1e-4), *(("avif", WriteOptions(bit_depth=d, quality=100), 1.0) for d in (10, 12))],
)
def test_light_levels_are_those_of_the_pixels(
    tmp_path: Path, scene: FloatImage, suffix: str, options: WriteOptions, unit: float, curve: str, bright: float
) -> None:
    """CTA-861.3, annex P, by the curves of colour-science on the codes that imagecodecs finds in the file."""
    path = tmp_path / f"a.{suffix}"
    write_hdr(Hdr(scene * np.float32(bright), "p3"), path, options=replace(options, transfer=curve))
    decode = imagecodecs.png_decode if suffix == "png" else imagecodecs.avif_decode
    codes = decode(path.read_bytes()) / (2 ** (options.bit_depth or 16) - 1)
    eotf = colour.models.eotf_BT2100_PQ if curve == "pq" else colour.models.eotf_BT2100_HLG
    brightest = eotf(codes).max(axis=-1)
    for stated, expected in zip(stated_levels(path), (brightest.max(), brightest.mean()), strict=True):
        assert -2e-6 * expected <= stated - expected <= unit + 2e-6 * expected


def test_png_chunks_stand_before_the_picture_with_right_checksums(tmp_path: Path, scene: FloatImage) -> None:
    write_hdr(Hdr(scene, metadata=Metadata(exif=EXIF, xmp=b"<x:xmpmeta/>")), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:  # Pillow verifies each checksum
        assert image.getexif()[271] == "Abc"
        assert image.info["xmp"] == b"<x:xmpmeta/>"
    kinds = (tmp_path / "a.png").read_bytes()
    assert kinds.index(b"cICP") < kinds.index(b"cLLI") < kinds.index(b"IDAT")
    assert describe(tmp_path / "a.png").metadata == Metadata(exif=EXIF, xmp=b"<x:xmpmeta/>")


def test_avif_carries_metadata(tmp_path: Path, scene: FloatImage) -> None:
    write_hdr(Hdr(scene, metadata=Metadata(exif=EXIF, xmp=b"<x:xmpmeta/>")), tmp_path / "a.avif")
    with Image.open(tmp_path / "a.avif") as image:
        assert image.getexif()[271] == "Abc"
        assert image.info["xmp"] == b"<x:xmpmeta/>"
    assert describe(tmp_path / "a.avif").metadata == Metadata(exif=EXIF, xmp=b"<x:xmpmeta/>")


@pytest.mark.parametrize("depth", [10, 12])
def test_lossy_avif_is_close(tmp_path: Path, depth: int) -> None:
    y, x = np.mgrid[:40, :60]
    pixels = (np.stack([x + y, 2 * x, y + 10], axis=-1) / 30).astype(np.float32)
    write_hdr(Hdr(pixels, "bt2020"), tmp_path / "a.avif", options=WriteOptions(bit_depth=depth))
    assert describe(tmp_path / "a.avif").bit_depth == depth
    result = read_hdr(tmp_path / "a.avif").pixels
    assert np.abs(transfer.encode(result, "pq") - transfer.encode(pixels, "pq")).mean() < 0.004


@pytest.mark.parametrize("primaries", ["bt709", "p3", "bt2020"])
def test_float_jpeg_xl_is_exact(tmp_path: Path, light: FloatImage, primaries: str) -> None:
    light[5, 5] = [np.finfo(np.float32).max, np.finfo(np.float32).tiny, np.finfo(np.float32).smallest_subnormal]
    write_hdr(Hdr(light, primaries), tmp_path / "a.jxl")
    result = read_hdr(tmp_path / "a.jxl")
    assert np.array_equal(result.pixels.view(np.uint32), light.view(np.uint32))
    assert result.primaries == primaries
    assert np.array_equal(imagecodecs.jpegxl_decode((tmp_path / "a.jxl").read_bytes()), light)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", WriteOptions(transfer="linear")),
        ("a.avif", WriteOptions(transfer="linear")),
        ("a.png", WriteOptions(bit_depth=10)),
        ("a.avif", WriteOptions(bit_depth=16)),
    ],
)
def test_what_a_container_cannot_hold_is_a_usage_error(
    tmp_path: Path, scene: FloatImage, name: str, options: WriteOptions
) -> None:
    with pytest.raises(UsageError, match=f"^{tmp_path / name}: "):
        write_hdr(Hdr(scene), tmp_path / name, options=options)
    assert not list(tmp_path.iterdir())
