"""JPEG XL photos and metadata, and sizes as the decoder sees them."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import OpenImageIO
import pytest
from numpy.typing import NDArray

from headroom.errors import CorruptFile, LimitExceeded, OutputError
from headroom.image import Encoding, FloatImage, Hdr, Metadata
from headroom.io import describe, jxl_header, read_hdr, read_photo, write_hdr
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
    assert jxl_header.size(tmp_path, content) == shape[::-1]


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
