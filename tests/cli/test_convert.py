"""`headroom convert` from file to file, checked with other readers and closed forms."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import OpenImageIO
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from headroom.image import FloatImage, Hdr
from headroom.io import read_hdr, read_photo, write_hdr

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]

P3_FROM_BT709 = np.array([[0.82246, 0.17754, 0], [0.03319, 0.96681, 0], [0.01708, 0.0724, 0.91052]])  # EG 432-1


@pytest.fixture
def light() -> FloatImage:
    """Return 24 x 200 x 3 linear light from 0.01 to 8 times SDR white."""
    ramp = np.geomspace(0.01, 8, 200, dtype=np.float32)
    return np.repeat(ramp[None, :, None] * np.array([1, 0.7, 0.5], np.float32), 24, axis=0)


@pytest.fixture
def exr(tmp_path: Path, light: FloatImage) -> Path:
    path = tmp_path / "scene.exr"
    write_hdr(Hdr(light), path)
    return path


def srgb(linear: NDArray[np.floating]) -> NDArray[np.floating]:
    """Encode by IEC 61966-2-1."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def pixels_of(path: Path) -> NDArray[np.float32]:
    if path.suffix == ".pfm":  # which OpenImageIO reads upside down
        return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))[..., ::-1]
    return np.asarray(OpenImageIO.ImageBuf(str(path)).get_pixels(OpenImageIO.FLOAT))[..., :3]


@pytest.mark.parametrize("suffix", ["exr", "hdr", "pfm", "tif", "jpg"])
def test_hdr_stays_hdr(run: Run, capsys: Capture, exr: Path, light: FloatImage, suffix: str) -> None:
    out = exr.with_name(f"out.{suffix}")
    assert run("convert", exr, out) == 0
    assert capsys.readouterr().out == f"{out}\n"
    limit = {"exr": 1e-3, "hdr": 1 / 100, "pfm": 1e-3, "tif": 1e-3, "jpg": 0.08}[suffix]
    assert np.quantile(np.abs(pixels_of(out) - light) / (light + 0.02), 0.99) < limit


@pytest.mark.parametrize(("suffix", "depth"), [("avif", "10"), ("avif", "12"), ("jxl", None), ("png", "16")])
def test_there_and_back(run: Run, exr: Path, light: FloatImage, suffix: str, depth: str | None) -> None:
    there, back = exr.with_name(f"there.{suffix}"), exr.with_name("back.exr")
    assert run("convert", exr, there, *(("--bit-depth", depth) if depth else ())) == 0
    assert run("convert", there, back) == 0
    assert np.quantile(np.abs(pixels_of(back) - light) / (light + 0.02), 0.99) < 0.05


def test_depth_of_openexr(run: Run, exr: Path) -> None:
    def written(source: Path, *words: str) -> str:
        assert run("convert", source, exr.with_name("out.exr"), "--force", *words) == 0
        return str(OpenImageIO.ImageInput.open(str(exr.with_name("out.exr"))).spec().format)

    assert written(exr, "--bit-depth", "32") == "float"
    assert run("convert", exr, exr.with_name("floats.pfm")) == 0
    assert written(exr.with_name("floats.pfm")) == "float"
    assert written(exr) == written(exr.with_name("floats.pfm"), "--bit-depth", "16") == "half"


def test_exposure_and_primaries_are_those_of_the_matrix(run: Run, exr: Path, light: FloatImage) -> None:
    out = exr.with_name("out.exr")
    assert run("convert", exr, out, "--exposure", "1", "--primaries", "p3", "--bit-depth", "32") == 0
    half_floats = light.astype(np.float16).astype(np.float32)
    np.testing.assert_allclose(pixels_of(out), 2 * half_floats @ P3_FROM_BT709.T, rtol=2e-4)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_a_tone_curve_makes_a_photo(run: Run, exr: Path, light: FloatImage, suffix: str) -> None:
    out = exr.with_name(f"out.{suffix}")
    assert run("convert", exr, out, "--tone-map", "reinhard", "--bit-depth", "8") == 0
    codes = np.asarray(Image.open(out), np.float64)
    error = np.abs(codes - 255 * srgb(light / (1 + light)))
    assert np.quantile(error, 0.95) < (0.6 if suffix in {"png", "tif"} else 6)


def test_none_clips(run: Run, exr: Path, light: FloatImage) -> None:
    out = exr.with_name("out.png")
    assert run("convert", exr, out, "--tone-map", "none", "--exposure", "-1") == 0
    codes = cv2.imread(str(out), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert codes.dtype == np.uint16
    np.testing.assert_allclose(codes / 65535, srgb(np.minimum(light / 2, 1)), atol=3e-4)


def test_extended_reinhard_maps_the_brightest_light_to_white(run: Run, exr: Path) -> None:
    out = exr.with_name("out.png")
    assert run("convert", exr, out, "--tone-map", "extended-reinhard", "--bit-depth", "8") == 0
    assert np.asarray(Image.open(out))[-1, -1, 0] == 255


def test_wide_colours_come_with_a_profile(run: Run, exr: Path) -> None:
    out = exr.with_name("out.png")
    assert run("convert", exr, out, "--tone-map", "none", "--primaries", "p3", "--bit-depth", "8") == 0
    image = Image.open(out)
    profile = ImageCms.ImageCmsProfile(BytesIO(image.info["icc_profile"]))
    back = np.asarray(ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), renderingIntent=1))
    expected = 255 * srgb(np.clip(read_hdr(exr).pixels, 0, 1))
    inside = read_hdr(exr).pixels.max(axis=-1) < 1
    assert np.abs(back - expected)[inside].max() < 1.6


def test_a_photo_becomes_plain_light_and_says_so(run: Run, capsys: Capture, photo: Path) -> None:
    out = photo.with_name("out.exr")
    assert run("convert", photo, out, "--json") == 0
    captured = capsys.readouterr()
    assert "headroom expand" in captured.err
    record = json.loads(captured.out)
    assert (record["kind"], record["container"], record["headroom_stops"]) == ("hdr", "exr", 0.0)
    codes = np.asarray(Image.open(photo), np.float64) / 255
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(pixels_of(out), linear, atol=1e-3)


def test_a_photo_stays_a_photo(run: Run, photo: Path, capsys: Capture) -> None:
    out = photo.with_name("out.tif")
    assert run("convert", photo, out) == 0
    assert np.array_equal(tifffile.imread(out), np.asarray(Image.open(photo)))
    assert run("convert", photo, photo.with_name("same.jpg")) == 0
    assert photo.with_name("same.jpg").read_bytes() == photo.read_bytes()
    assert not capsys.readouterr().err


def test_metadata_go_along(run: Run, photo: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a maker", 6
    source = photo.with_name("tagged.jpg")
    Image.open(photo).save(source, exif=exif, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    for suffix in ("png", "webp"):
        out = photo.with_name(f"out.{suffix}")
        assert run("convert", source, out) == 0
        again = read_photo(out)
        assert again.metadata.xmp == b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
        with Image.open(out) as image:
            assert (image.getexif()[0x010F], image.getexif()[0x0112], image.size) == ("a maker", 1, (120, 160))


@pytest.mark.parametrize("suffix", ["jpg", "png", "exr", "avif"])
def test_the_position_is_left_out_on_request(run: Run, photo: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 6.5)})
    source, kept, out = (photo.with_name(name) for name in ("tagged.jpg", f"kept.{suffix}", f"out.{suffix}"))
    Image.open(photo).save(source, exif=exif, xmp=b'<a exif:GPSLatitude="47,22.1N"/>')
    assert run("convert", source, kept) == 0
    assert run("convert", source, out, "--strip-gps") == 0
    place = b"latitude" if suffix == "exr" else b"47,22.1N"
    assert place in kept.read_bytes()
    assert place not in out.read_bytes()
    assert b"a maker" in out.read_bytes()


def test_what_was_left_out_is_said(run: Run, capsys: Capture, photo: Path) -> None:
    source = photo.with_name("tagged.png")
    Image.open(photo).save(source, exif=b"Exif\0\0" + b"II*\0" + bytes(70_000))
    assert run("convert", source, photo.with_name("out.jpg"), "--json") == 0
    captured = capsys.readouterr()
    assert "EXIF is larger than a JPEG segment" in captured.err
    assert "EXIF" in json.loads(captured.out)["notes"][0]


def test_a_gain_map_is_applied(run: Run, capsys: Capture, exr: Path, light: FloatImage) -> None:
    assert run("convert", exr, exr.with_name("gain.jpg")) == 0
    assert run("convert", exr.with_name("gain.jpg"), exr.with_name("back.exr")) == 0
    assert np.quantile(np.abs(pixels_of(exr.with_name("back.exr")) - light) / (light + 0.02), 0.99) < 0.08
    assert "gain map" not in capsys.readouterr().err
    assert run("convert", exr.with_name("gain.jpg"), exr.with_name("base.png"), "--bit-depth", "8") == 0
    assert "without its gain map" in capsys.readouterr().err
    base, png = (np.asarray(Image.open(exr.with_name(name))) for name in ("gain.jpg", "base.png"))
    assert np.array_equal(base, png)
    assert b"Container:Directory" not in exr.with_name("base.png").read_bytes()


def test_what_is_no_light_is_counted(run: Run, capsys: Capture, tmp_path: Path) -> None:
    pixels = np.full((5, 7, 3), 0.5, np.float32)
    pixels[1, 2, 0], pixels[3, 3] = -0.2, np.nan
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb")
    assert run("convert", tmp_path / "a.tif", tmp_path / "b.exr") == 0
    assert "a.tif: 4 values that are no light" in capsys.readouterr().err
    for name, count in (("a.tif", 4), ("b.exr", 0)):
        assert run("inspect", tmp_path / name, "--json") == 0
        assert json.loads(capsys.readouterr().out)["repaired_values"] == count


def test_extreme_light_stays_finite(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.pfm").write_bytes(b"PF\n2 1\n-1.0\n" + np.array([3e38, 0, 1, 1, 3e38, 1e-38], "<f4").tobytes())
    assert run("convert", tmp_path / "a.pfm", tmp_path / "b.tif", "--exposure", "32", "--primaries", "bt2020") == 0
    assert np.isfinite(tifffile.imread(tmp_path / "b.tif")).all()
    assert run("convert", tmp_path / "a.pfm", tmp_path / "b.png", "--exposure", "32", "--tone-map", "filmic") == 0
    assert cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED).max() == 65535


def test_a_curve_without_a_name_becomes_srgb(run: Run, tmp_path: Path) -> None:
    codes = np.tile(np.arange(0, 250, 5, dtype=np.uint8)[None, :, None], (4, 1, 3))
    png = imagecodecs.png_encode(codes)
    body = b"gAMA" + (60_000).to_bytes(4, "big")
    chunk = (4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(png[:33] + chunk + png[33:])
    assert run("convert", tmp_path / "a.png", tmp_path / "b.png") == 0
    written = np.asarray(Image.open(tmp_path / "b.png"), float)
    np.testing.assert_allclose(written, 255 * srgb((codes / 255) ** (1 / 0.6)), atol=0.6)


@pytest.mark.parametrize(
    "words",
    [
        ["out.xyz"],
        ["out.exr", "--tone-map", "filmic"],
        ["out.png", "--tone-map", "cinema"],
        ["out.exr", "--primaries", "ntsc"],
        ["out.exr", "--bit-depth", "8"],
        ["out.jxl", "--bit-depth", "16"],
        ["out.hdr", "--bit-depth", "8"],
        ["out.exr", "--exposure", "99"],
        ["scene.exr", "--force"],
    ],
    ids=" ".join,
)
def test_wrong_usage(run: Run, capsys: Capture, exr: Path, words: list[str]) -> None:
    before = exr.read_bytes()
    assert run("convert", exr, exr.with_name(words[0]), *words[1:]) == 2
    assert "error: " in capsys.readouterr().err
    assert [path.name for path in exr.parent.iterdir()] == ["scene.exr"]
    assert exr.read_bytes() == before


def test_an_existing_file_needs_force(run: Run, capsys: Capture, exr: Path) -> None:
    out = exr.with_name("out.pfm")
    out.write_bytes(b"mine")
    assert run("convert", exr, out) == 2
    assert "--force" in capsys.readouterr().err
    assert out.read_bytes() == b"mine"
    assert run("convert", exr, out, "--force") == 0
    assert out.read_bytes() != b"mine"


def test_a_folder_is_no_target(run: Run, capsys: Capture, exr: Path) -> None:
    folder = exr.with_name("folder.exr")
    folder.mkdir()
    for words in ([], ["--force"]):
        assert run("convert", exr, folder, *words) == 2
        assert f"error: {folder}: is a folder." in capsys.readouterr().err


def test_a_bad_input_is_1(run: Run, capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "a.exr").write_bytes(b"v/1\x01 nothing")
    assert run("convert", tmp_path / "a.exr", tmp_path / "b.pfm") == 1
    assert str(tmp_path / "a.exr") in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.exr"]
