"""The eight EXIF orientations in every kind of file that can state one, against Pillow's own transposition.

Those of Radiance, of AVIF, HEIC and their gain maps, of camera RAW and of gain-map JPEG stand with their formats. PFM
has none.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile

import imagecodecs
import numpy as np
import OpenImageIO
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from headroom.colour.icc import profile_for_cicp
from headroom.image import Metadata, Photo
from headroom.io import describe, exif, orientation, read, read_photo
from headroom.io.png_file import with_chunks

FORMATS = {".jpg": {"quality": 100}, ".png": {}, ".webp": {"lossless": True}, ".tif": {}}


def exif_of(turn: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = turn
    return block.tobytes().removeprefix(b"Exif\0\0")


def deep_png(codes: NDArray[np.uint8], turn: int, *chunks: tuple[bytes, bytes]) -> bytes:
    encoded = bytes(imagecodecs.png_encode(codes.astype(np.uint16) * 257))
    return with_chunks(encoded, list(chunks), Metadata(exif=exif_of(turn)))


def tiff(raster: NDArray[np.generic], turn: int, icc: bytes | None = None) -> bytes:
    stream = BytesIO()
    tags = [(274, "H", 1, turn, True)]
    tifffile.imwrite(stream, raster, photometric="rgb", metadata=None, extratags=tags, iccprofile=icc)
    return stream.getvalue()


def jpeg_in_jpeg_xl(codes: NDArray[np.uint8], turn: int) -> bytes:
    stream = BytesIO()
    Image.fromarray(codes).save(stream, "JPEG", quality=100, subsampling=0, exif=b"Exif\0\0" + exif_of(turn))
    return bytes(imagecodecs.jpegxl_encode_jpeg(stream.getvalue()))


def exr(codes: NDArray[np.uint8], turn: int) -> bytes:
    spec = OpenImageIO.ImageSpec(codes.shape[1], codes.shape[0], 3, "half")
    spec.attribute("Orientation", turn)
    with NamedTemporaryFile(suffix=".exr") as file:
        output = OpenImageIO.ImageOutput.create(file.name)
        assert output.open(file.name, spec)
        assert output.write_image(codes)
        output.close()
        return Path(file.name).read_bytes()


OTHERS: dict[str, Callable[[NDArray[np.uint8], int], bytes]] = {
    "png of 16 bits": deep_png,
    "pq png": lambda codes, turn: deep_png(codes, turn, (b"cICP", b"\x09\x10\0\1")),
    "tiff of 16 bits": lambda codes, turn: tiff(codes.astype(np.uint16) * 257, turn),
    "pq tiff": lambda codes, turn: tiff(codes.astype(np.uint16) * 257, turn, profile_for_cicp("bt2020", "pq")),
    "float tiff": lambda codes, turn: tiff(codes.astype(np.float32), turn),
    "jpeg xl": jpeg_in_jpeg_xl,
    "exr": exr,
}


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", FORMATS)
def test_photo_is_upright_once(tmp_path: Path, picture: NDArray[np.uint8], suffix: str, turn: int) -> None:
    path = tmp_path / f"a{suffix}"
    block = Image.Exif()
    block[0x0112], block[0x010F] = turn, "Maker"
    Image.fromarray(picture).save(path, exif=block, **FORMATS[suffix])
    photo, facts = read_photo(path), describe(path)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(photo.codes, expected)
    assert photo.orientation == facts.orientation == turn
    assert (facts.width, facts.height) == (photo.width, photo.height)
    kept = Image.Exif()
    kept.load(photo.metadata.exif)
    assert kept[0x0112] == 1
    assert kept[0x010F] == "Maker"


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", OTHERS)
def test_other_files_are_upright_once(tmp_path: Path, picture: NDArray[np.uint8], kind: str, turn: int) -> None:
    for name, number in (("stored", 1), ("turned", turn)):
        (tmp_path / name).write_bytes(OTHERS[kind](picture, number))
    as_stored, turned = (raster(tmp_path / name) for name in ("stored", "turned"))
    # Pillow turns the numbers of the pixels, which say where each of them belongs.
    numbers = Image.fromarray(np.arange(picture[..., 0].size, dtype=np.int32).reshape(picture.shape[:2]))
    numbers.getexif()[0x0112] = turn
    places = np.asarray(ImageOps.exif_transpose(numbers))
    dither = 1 if kind == "jpeg xl" else 0  # which its decoder adds where a pixel ends up
    np.testing.assert_allclose(turned.astype(float), as_stored.reshape(-1, 3)[places], rtol=0, atol=dither)
    facts = describe(tmp_path / "turned")
    assert (facts.height, facts.width) == places.shape


def raster(path: Path) -> NDArray[np.generic]:
    image = read(path)
    return image.codes if isinstance(image, Photo) else image.pixels


@pytest.mark.parametrize("turn", range(1, 9))
def test_undo_is_the_inverse(picture: NDArray[np.uint8], turn: int) -> None:
    assert np.array_equal(orientation.undo(orientation.apply(picture, turn), turn), picture)
    assert orientation.apply(picture, turn).flags.c_contiguous


@pytest.mark.parametrize("order", ["<", ">"])
def test_only_the_orientation_of_a_block_changes(order: str) -> None:
    block = Image.Exif()
    block.endian = order
    block[0x0112], block[0x010F], block.get_ifd(0x8769)[0xA001] = 7, "Maker", 1
    before = block.tobytes().removeprefix(b"Exif\0\0")
    after = exif.upright(before)
    assert exif.orientation(before) == 7
    assert exif.orientation(after) == 1
    assert exif.color_space(after) == "srgb"
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


@given(st.binary(max_size=200), st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b""]))
def test_no_block_is_too_damaged(data: bytes, start: bytes) -> None:
    block = start + data
    assert 1 <= exif.orientation(block) <= 8
    assert len(exif.upright(block)) == len(block)
    exif.color_space(block)


@pytest.mark.parametrize("form", [b' tiff:Orientation="%d"/>', b"><tiff:Orientation>%d</tiff:Orientation></a>"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_xmp_says_upright_too(tmp_path: Path, picture: NDArray[np.uint8], form: bytes, turn: int) -> None:
    block = Image.Exif()
    block[0x0112] = turn
    packet = b"<a tiff:Make='8'" + form
    Image.fromarray(picture).save(tmp_path / "a.jpg", exif=block, xmp=packet % turn)
    assert read_photo(tmp_path / "a.jpg").metadata.xmp == packet % 1
