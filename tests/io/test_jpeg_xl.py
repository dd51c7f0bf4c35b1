"""JPEG XL photos and metadata, and sizes as the decoder sees them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import imagecodecs
import numpy as np
import OpenImageIO
import pytest
from numpy.typing import NDArray

from headroom.colour import transfer
from headroom.errors import CorruptFile, LimitExceeded, OutputError
from headroom.image import SDR_WHITE_NITS, Encoding, FloatImage, Hdr, Metadata
from headroom.io import describe, jxl_codestream, jxl_header, read_hdr, read_photo, write_hdr
from headroom.io.options import WriteOptions

EXIF = b"II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0\x04\0\0\0Abc\0\0\0\0\0"


def save(path: Path, codes: NDArray[np.generic], kind: str, **attributes: object) -> Path:
    spec = OpenImageIO.ImageSpec(codes.shape[1], codes.shape[0], codes.shape[2], kind)
    spec.attribute("compression", "jpegxl:100")
    for name, value in attributes.items():
        spec.attribute(name, value)
    output = OpenImageIO.ImageOutput.create("any.jxl")
    assert output.open(str(path), spec)
    assert output.write_image(np.ascontiguousarray(codes))
    assert output.close()
    return path


def test_photos_of_8_and_16_bits(tmp_path: Path, picture: NDArray[np.uint8], deep_picture: NDArray[np.uint16]) -> None:
    for codes, kind, bits in ((picture, "uint8", 8), (deep_picture, "uint16", 16)):
        photo = read_photo(save(tmp_path / "a.jxl", codes, kind))
        assert np.array_equal(photo.codes, codes)
        assert (photo.bit_depth, photo.encoding) == (bits, Encoding())


def test_shortest_files(tmp_path: Path) -> None:
    codes = np.full((8, 8, 3), 7, np.uint8)
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(codes))
    assert (tmp_path / "a.jxl").stat().st_size < 64
    assert np.array_equal(read_photo(tmp_path / "a.jxl").codes, codes)
    write_hdr(Hdr(np.ones((1, 1, 3), np.float32)), tmp_path / "b.jxl")
    assert read_hdr(tmp_path / "b.jxl").pixels.max() == 1


def test_lossy_files_are_known(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    assert describe(save(tmp_path / "a.jxl", picture, "uint8")).lossy_step == 0
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(picture, level=80))
    assert describe(tmp_path / "a.jxl").lossy_step > 0
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(picture, lossless=True))
    assert describe(tmp_path / "a.jxl").lossy_step == 0
    jpeg = imagecodecs.jpeg8_encode(picture, 80)
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode_jpeg(jpeg))
    assert describe(tmp_path / "a.jxl").lossy_step > 0


def test_grey_and_alpha(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    grey = read_photo(save(tmp_path / "a.jxl", picture[..., :1], "uint8"))
    assert np.array_equal(grey.codes, np.repeat(picture[..., :1], 3, axis=2))
    opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    assert np.array_equal(read_photo(save(tmp_path / "a.jxl", opaque, "uint8")).codes, picture)


@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (40, 60), (36, 48), (9, 16), (300, 7), (264, 256), (5, 9000)])
def test_size_is_read_from_the_first_bits(tmp_path: Path, shape: tuple[int, int]) -> None:
    content = bytes(imagecodecs.jpegxl_encode(np.zeros((*shape, 3), np.uint8), effort=1))
    assert jxl_header.parse(tmp_path, content)[:2] == shape[::-1]


@pytest.mark.parametrize("shape", [(40, 60, 3), (40, 60), (40, 60, 4)])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_coding_is_read_from_the_bits_behind(tmp_path: Path, kind: str, shape: tuple[int, ...]) -> None:
    codes = np.zeros(shape, kind)
    for is_lossless in (True, False):
        header = jxl_header.parse(tmp_path, bytes(imagecodecs.jpegxl_encode(codes, lossless=is_lossless, effort=1)))
        assert header[:2] == (60, 40)
        assert header.is_xyb is not is_lossless


@pytest.mark.parametrize("nits", [0.0, 0.3, 1.0, 203.0, 999.9, 4060.01, 10_000.0, 65_504.0, 1e9])
@pytest.mark.parametrize("curve", [None, "pq", "hlg"])
def test_brightness_may_be_stated_in_any_header(
    tmp_path: Path, light: FloatImage, curve: str | None, nits: float
) -> None:
    write_hdr(Hdr(light), tmp_path / "a.jxl", options=WriteOptions(transfer=curve, quality=100))
    before = jxl_header.codestream((tmp_path / "a.jxl").read_bytes(), 2**20)
    after = jxl_codestream.with_intensity_target(before, nits)
    stated = jxl_codestream.parse(after).intensity_target_nits
    assert min(max(nits, 1), 65_504) <= stated <= max(nits, 1) * (1 + 2**-10)
    assert np.array_equal(imagecodecs.jpegxl_decode(after), imagecodecs.jpegxl_decode(before))
    assert jxl_codestream.with_intensity_target(after, jxl_codestream.parse(before).intensity_target_nits) == before


def test_brightness_is_that_of_the_picture(tmp_path: Path, light: FloatImage) -> None:
    for options, expected in (
        (WriteOptions(), SDR_WHITE_NITS),  # of 1.0
        (WriteOptions(transfer="pq"), 406.0),
        (WriteOptions(transfer="hlg"), 1000.0),  # of the display that the curve is for
    ):
        write_hdr(Hdr(np.minimum(light, 2)), tmp_path / "a.jxl", options=options)
        stated = describe(tmp_path / "a.jxl").light_levels.intensity_target_nits
        assert stated == pytest.approx(expected, rel=1e-3)


def test_lossy_pq_is_as_bright_as_the_picture(tmp_path: Path) -> None:
    y, x = np.mgrid[:40, :60]
    pixels = (np.stack([x + y, 2 * x, y + 10], axis=-1) / 30).astype(np.float32)
    write_hdr(Hdr(pixels, "bt2020"), tmp_path / "a.jxl", options=WriteOptions(transfer="pq", quality=95))
    expected = transfer.encode(pixels, "pq")
    result = read_hdr(tmp_path / "a.jxl").pixels
    assert np.abs(transfer.encode(result, "pq") - expected).mean() < 0.002
    by_libjxl = imagecodecs.jpegxl_decode((tmp_path / "a.jxl").read_bytes()) / 65_535
    assert np.abs(by_libjxl - expected).mean() < 0.002


@pytest.mark.external
@pytest.mark.parametrize(("options", "nits"), [(WriteOptions(), 203), (WriteOptions(transfer="pq"), 2030)])
def test_libjxl_finds_the_brightness(tmp_path: Path, options: WriteOptions, nits: int) -> None:
    program = shutil.which("jxlinfo")
    if program is None:
        pytest.skip("jxlinfo is not installed; run `make test-external`")
    pixels = np.full((40, 60, 3), 0.5, np.float32)
    pixels[0] = 10
    write_hdr(Hdr(pixels), tmp_path / "a.jxl", options=options)
    told = subprocess.run([program, "-v", tmp_path / "a.jxl"], check=True, capture_output=True, text=True, timeout=100)
    assert float(re.search(r"intensity_target: ([\d.]+) nits", told.stdout)[1]) == pytest.approx(nits, rel=1e-3)


def test_metadata_of_compressed_boxes(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    path = save(tmp_path / "a.jxl", picture, "uint8", Make="Abc")
    assert b"brobExif" in path.read_bytes()
    assert b"Abc" in (describe(path).metadata.exif or b"")


def test_metadata_goes_out_and_comes_back(tmp_path: Path, light: FloatImage) -> None:
    metadata = Metadata(exif=EXIF, xmp=b"<x:xmpmeta/>")
    for options in (WriteOptions(), WriteOptions(transfer="pq", quality=100)):
        write_hdr(Hdr(light, metadata=metadata), tmp_path / "a.jxl", options=options)
        assert read_hdr(tmp_path / "a.jxl").metadata == metadata
        assert imagecodecs.jpegxl_decode((tmp_path / "a.jxl").read_bytes()).shape == light.shape


def test_huge_declared_size_is_refused(tmp_path: Path) -> None:
    # Not small, 30 bits of height, ratio 1:1.
    bits = 0 | 3 << 1 | (2**29) << 3 | 1 << 33
    (tmp_path / "a.jxl").write_bytes(b"\xff\x0a" + bits.to_bytes(8, "little") + bytes(50))
    with pytest.raises(LimitExceeded, match=f"{2**29 + 1} x {2**29 + 1}"):
        describe(tmp_path / "a.jxl")


@pytest.mark.parametrize("content", [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a" + bytes(40)])
def test_damaged_headers(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jxl").write_bytes(content)
    with pytest.raises(CorruptFile):
        describe(tmp_path / "a.jxl")


def test_file_that_cannot_be_written(tmp_path: Path, light: FloatImage) -> None:
    with pytest.raises(OutputError):
        write_hdr(Hdr(light), tmp_path / "none" / "a.jxl")
