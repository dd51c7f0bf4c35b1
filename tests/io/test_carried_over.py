"""Every format that is written x everything that comes with a photo, as the readers of others see it.

The photo is a JPEG in Display P3, stored on its side, with EXIF, XMP and a position.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import exifread
import imagecodecs
import numpy as np
import OpenImageIO
import pytest
import tifffile
from exif_blocks import with_thumbnail
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

import colour
import headroom
from headroom.colour.icc import profile_for
from headroom.image import Encoding, Primaries
from headroom.io import describe, read_photo, write_hdr, write_preview
from headroom.io.convert import as_hdr, convert
from headroom.io.gps import without_gps

Make = Callable[..., Path]

PHOTOS, LIGHT = ("jpg", "png", "webp", "tif"), ("exr", "hdr", "pfm", "avif", "jxl")
WRITTEN = [("convert", suffix) for suffix in PHOTOS + LIGHT]
WRITTEN += [("expand", suffix) for suffix in ("jpg", "png", "tif", *LIGHT)]
UNLABELLED = [("convert", "jpg"), ("convert", "pfm"), ("expand", "pfm")]  # an untouched file, and no place for it
PACKET = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 dc:source="a camera" exif:GPSLatitude="47,22.1N"/></rdf:RDF></x:xmpmeta>"""
GREEN = (20, 245, 30)  # in Display P3 far outside of BT.709
SPACES = {
    "bt709": "ITU-R BT.709",
    "p3": "P3-D65",
    "bt2020": "ITU-R BT.2020",
    "adobe-rgb": "Adobe RGB (1998)",
    "prophoto": "ROMM RGB",
}


def exif_block() -> Image.Exif:
    block = Image.Exif()
    block[0x010F], block[0x0110], block[0x0112] = "A maker", "M 10", 6
    inner = {0x9003: "2026:11:21 08:00:00", 0x829A: IFDRational(1, 250), 0x829D: IFDRational(28, 10), 0x8827: 400}
    block.get_ifd(0x8769).update({**inner, 0xA002: 64, 0xA003: 40})
    position = {1: "N", 2: (47.0, 22.0, 6.5), 3: "E", 4: (8.0, 32.0, 30.25)}
    block.get_ifd(0x8825).update({tag: position[tag] for tag in position})
    return block


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Return a file of 64 x 40 green pixels with a white corner, top left as stored and top right when upright."""
    codes = np.full((40, 64, 3), GREEN, np.uint8)
    codes[:16, :16] = 255
    path = tmp_path / "photo.jpg"
    profile = profile_for(Encoding("p3", "srgb"))
    Image.fromarray(codes).save(path, quality=97, subsampling=0, exif=exif_block(), xmp=PACKET, icc_profile=profile)
    return path


@pytest.fixture
def make(photo: Path) -> Make:
    def write(way: str, suffix: str, *, strip_gps: bool = False) -> Path:
        out = photo.with_name(f"out.{suffix}")
        if way == "convert":
            convert(photo, out, strip_gps=strip_gps)
        else:
            found = read_photo(photo)
            hdr = headroom.expand(without_gps(found) if strip_gps else found, method="linear")
            write_hdr(hdr, out)
        return out

    return write


@dataclass(frozen=True)
class Seen:
    """What readers of others find about the photo in a file."""

    make: str
    taken: str
    exposure_s: float
    f_number: float
    iso: float
    latitude_deg: float | None
    orientation: int


def seen(path: Path) -> Seen:
    match path.suffix:
        case ".exr":
            return by_openimageio(path)
        case ".webp" | ".avif":  # which exifread does not know
            with Image.open(path) as image:
                return by_exifread(image.info["exif"].removeprefix(b"Exif\0\0"))
        case _:
            return by_exifread(path.read_bytes())


def by_openimageio(path: Path) -> Seen:
    value = OpenImageIO.ImageInput.open(str(path)).spec().getattribute
    names = ("cameraMake", "DateTime", "ExposureTime", "FNumber", "isoSpeed", "latitude")
    return Seen(*map(value, names), orientation=value("Orientation") or 1)


def by_exifread(content: bytes) -> Seen:
    tags = exifread.process_file(BytesIO(content), details=False)
    place = exifread.utils.get_gps_coords(tags)
    orientation = tags["Image Orientation"].values[0] if "Image Orientation" in tags else 1
    numbers = (float(tags[f"EXIF {name}"].values[0]) for name in ("ExposureTime", "FNumber", "ISOSpeedRatings"))
    texts = (str(tags[name]) for name in ("Image Make", "EXIF DateTimeOriginal"))
    return Seen(*texts, *numbers, place[0] if place else None, orientation)


def raster(path: Path) -> NDArray[Any]:
    """Return the pixels as stored, by a decoder that turns nothing."""
    content = path.read_bytes()
    match path.suffix:
        case ".jpg" | ".webp":
            return np.asarray(Image.open(path))
        case ".png":
            return imagecodecs.png_decode(content)
        case ".tif":
            return tifffile.imread(path)
        case ".avif":
            return imagecodecs.avif_decode(content)
        case ".pfm":
            return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))[..., ::-1]
        case _:
            return np.asarray(OpenImageIO.ImageBuf(str(path)).get_pixels(OpenImageIO.FLOAT))


@pytest.mark.parametrize(("way", "suffix"), [case for case in WRITTEN if case[1] not in {"hdr", "pfm"}])
def test_exif_is_carried(make: Make, way: str, suffix: str) -> None:
    found = seen(make(way, suffix))
    assert (found.make, found.taken) == ("A maker", "2026:11:21 08:00:00")
    assert (found.exposure_s, found.f_number, found.iso) == pytest.approx((1 / 250, 2.8, 400), rel=1e-6)
    assert found.latitude_deg == pytest.approx(47 + 22 / 60 + 6.5 / 3600, rel=1e-6)


@pytest.mark.parametrize("way", ["convert", "expand"])
def test_a_radiance_header_names_what_it_can(make: Make, way: str) -> None:
    header = make(way, "hdr").read_bytes().partition(b"\n\n")[0].decode()
    assert "\nCAMERA= A maker M 10\nCAPDATE= 2026:11:21 08:00:00\nLATLONG= 47.368472 8.541736\n" in header
    assert '"exposure_s": 0.004, "f_number": 2.8, "iso": 400' in header


@pytest.mark.parametrize(("way", "suffix"), [case for case in WRITTEN if case[1] not in {"hdr", "pfm"}])
def test_xmp_is_carried(make: Make, way: str, suffix: str) -> None:
    path = make(way, suffix)
    assert b'dc:source="a camera"' in path.read_bytes()
    assert b'dc:source="a camera"' in (describe(path).metadata.xmp or b"")


@pytest.mark.parametrize(("way", "suffix"), WRITTEN)
def test_the_position_can_be_left_out(make: Make, way: str, suffix: str) -> None:
    path = make(way, suffix, strip_gps=True)
    content = path.read_bytes()
    for part in (b"GPS", b"LATLONG", b"latitude", b"47,22.1N", b"47.368", np.array([13, 2], "<u4").tobytes()):
        assert part not in content
    if suffix not in {"hdr", "pfm"}:
        assert seen(path).latitude_deg is None
        assert seen(path).make == "A maker"


@pytest.mark.parametrize(("way", "suffix"), WRITTEN)
def test_the_picture_is_turned_once(make: Make, way: str, suffix: str) -> None:
    path = make(way, suffix)
    pixels = raster(path)[..., :3].astype(np.float64).min(axis=-1)
    orientation = 1 if suffix in {"hdr", "pfm"} else seen(path).orientation
    # A JPEG's own bytes stay on their side, and say so; all else is upright.
    is_kept = suffix == "jpg"
    assert (orientation, pixels.shape) == ((6, (40, 64)) if is_kept else (1, (64, 40)))
    corner = pixels[:16, :16] if is_kept else pixels[:16, -16:]
    assert corner.mean() > 2 * pixels[20:, :20].mean()
    assert (describe(path).width, describe(path).height) == (40, 64)


@pytest.mark.parametrize(("way", "suffix"), [case for case in WRITTEN if case not in UNLABELLED])
def test_the_file_says_how_it_was_made(make: Make, way: str, suffix: str) -> None:
    made = describe(make(way, suffix)).provenance
    assert made["headroom"] == headroom.__version__
    assert made["method"] == ("convert" if way == "convert" else "linear")


def test_an_untouched_jpeg_is_the_same_file(make: Make, photo: Path) -> None:
    assert make("convert", "jpg").read_bytes() == photo.read_bytes()


def light_in_bt709(path: Path) -> NDArray[np.float64]:
    """Return the mean light of the coloured part, with what lies outside of BT.709 below 0."""
    image = headroom.read(path)
    hdr = as_hdr(image)
    mean = hdr.pixels[20:, :20].mean(axis=(0, 1)).astype(np.float64)
    return converted(mean, hdr.primaries, "bt709")


def light_of(encoded: NDArray[np.float64], primaries: Primaries) -> NDArray[np.float64]:
    """Return the linear light of codes by the curve that each space has in these tests."""
    return encoded ** (563 / 256) if primaries == "adobe-rgb" else np.asarray(colour.cctf_decoding(encoded, "sRGB"))


def converted(light: NDArray[np.float64], source_name: Primaries, target_name: Primaries) -> NDArray[np.float64]:
    source, target = (colour.RGB_COLOURSPACES[SPACES[name]] for name in (source_name, target_name))
    return np.asarray(colour.RGB_to_RGB(light, source, target, chromatic_adaptation_transform="Bradford"))


@pytest.mark.parametrize("primaries", ["p3", "adobe-rgb", "bt2020", "prophoto"])
@pytest.mark.parametrize(("way", "suffix"), [case for case in WRITTEN if case[1] != "pfm"])
def test_wide_colours_stay_wide(tmp_path: Path, way: str, suffix: str, primaries: Primaries) -> None:
    codes = np.full((64, 40, 3), GREEN, np.uint8)
    curve = "adobe-rgb" if primaries == "adobe-rgb" else "srgb"
    source, out = tmp_path / "photo.png", tmp_path / f"out.{suffix}"
    Image.fromarray(codes).save(source, icc_profile=profile_for(Encoding(primaries, curve)))
    if way == "convert":
        convert(source, out)
    else:
        write_hdr(headroom.expand(read_photo(source), method="linear"), out)
    light = light_of(np.array(GREEN) / 255, primaries)
    if suffix in {"avif", "jxl"} or (way, suffix) == ("expand", "png"):  # they number no wider primaries than BT.2020
        light, primaries = np.maximum(converted(light, primaries, "bt2020"), 0), "bt2020"
    expected = converted(light, primaries, "bt709")
    assert expected.min() < -0.01
    tolerance = 0.03 if suffix in {"jpg", "webp"} else 0.01
    np.testing.assert_allclose(light_in_bt709(out), expected, atol=tolerance)


def test_pfm_clips_and_says_so(photo: Path) -> None:
    notes = convert(photo, photo.with_name("out.pfm")).notes
    assert any("BT.709" in note for note in notes)
    assert light_in_bt709(photo.with_name("out.pfm")).min() > -1e-9


def test_exif_about_other_colours_is_overruled(tmp_path: Path) -> None:
    """The EXIF of an Adobe RGB photo stays with its conversion to sRGB, in which JPEG needs no profile otherwise."""
    block = exif_block()
    block.get_ifd(0x8769).update({0xA001: 0xFFFF, 0xA005: {1: "R03"}})
    Image.fromarray(np.full((16, 16, 3), 128, np.uint8)).save(tmp_path / "a.jpg", exif=block)
    assert describe(tmp_path / "a.jpg").encoding.primaries == "adobe-rgb"
    for suffix in PHOTOS:
        convert(tmp_path / "a.jpg", tmp_path / f"b.{suffix}", primaries="bt709")
        encoding = describe(tmp_path / f"b.{suffix}").encoding
        assert (encoding.primaries, encoding.transfer, encoding.known) == ("bt709", "srgb", True)


def test_sizes_in_exif_turn_with_the_picture_and_its_thumbnail_goes(tmp_path: Path) -> None:
    thumbnail = BytesIO()
    Image.new("RGB", (16, 10)).save(thumbnail, "JPEG")
    block = with_thumbnail(exif_block().tobytes().removeprefix(b"Exif\0\0"), thumbnail.getvalue())
    Image.new("RGB", (64, 40)).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + block)
    assert "JPEGThumbnail" in exifread.process_file(BytesIO((tmp_path / "a.jpg").read_bytes()))
    convert(tmp_path / "a.jpg", tmp_path / "b.png")
    tags = exifread.process_file(BytesIO((tmp_path / "b.png").read_bytes()))
    assert "JPEGThumbnail" not in tags
    assert (str(tags["EXIF ExifImageWidth"]), str(tags["EXIF ExifImageLength"])) == ("40", "64")


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_previews_carry_it_too(tmp_path: Path, photo: Path, suffix: str) -> None:
    hdr = headroom.expand(read_photo(photo), method="linear")
    write_preview(hdr, tmp_path / f"a.{suffix}")
    found = seen(tmp_path / f"a.{suffix}")
    assert (found.make, found.orientation) == ("A maker", 1)
    assert found.latitude_deg is not None
    write_preview(without_gps(hdr), tmp_path / f"a.{suffix}")
    assert seen(tmp_path / f"a.{suffix}").latitude_deg is None


@pytest.mark.parametrize("suffix", ["tif", "exr", "avif", "jxl", "hdr", "png"])
def test_hdr_files_lose_their_position_too(tmp_path: Path, photo: Path, suffix: str) -> None:
    convert(photo, tmp_path / "a.exr")
    path = tmp_path / f"b.{suffix}"
    convert(tmp_path / "a.exr", path, strip_gps=True)
    for part in (b"GPS", b"LATLONG", b"latitude", b"47,22.1N"):
        assert part not in path.read_bytes()
    assert b"A maker" in path.read_bytes()


def test_a_result_loses_the_position_of_its_photo_too(tmp_path: Path, photo: Path) -> None:
    write_hdr(without_gps(headroom.expand(read_photo(photo), method="linear")), tmp_path / "a.jpg")
    assert seen(tmp_path / "a.jpg").latitude_deg is None
    assert b"47,22.1N" not in (tmp_path / "a.jpg").read_bytes()
