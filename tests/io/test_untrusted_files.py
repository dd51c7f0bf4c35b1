"""Files that lie, break off or are something else: one of our errors that names the file, and quickly."""

from __future__ import annotations

import os
import struct
import time
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

from headroom.errors import CorruptFile, HeadroomError, InputError, LimitExceeded, UnsupportedFormat
from headroom.image import Hdr, Metadata
from headroom.io import describe, read, read_hdr, read_photo, write_hdr
from headroom.io.guard import check_metadata, check_size
from headroom.limits import LIMITS


def by_pillow(image_format: str, **options: object) -> Callable[[NDArray[np.uint8], Path], bytes]:
    def make(picture: NDArray[np.uint8], _: Path) -> bytes:
        stream = BytesIO()
        Image.fromarray(picture).save(stream, image_format, **options)
        return stream.getvalue()

    return make


def by_tifffile(**options: object) -> Callable[[NDArray[np.uint8], Path], bytes]:
    def make(picture: NDArray[np.uint8], _: Path) -> bytes:
        stream = BytesIO()
        tifffile.imwrite(stream, picture, photometric="rgb", **options)
        return stream.getvalue()

    return make


def by_us(suffix: str) -> Callable[[NDArray[np.uint8], Path], bytes]:
    def make(picture: NDArray[np.uint8], folder: Path) -> bytes:
        write_hdr(Hdr(picture.astype(np.float32)), folder / f"made{suffix}")
        return (folder / f"made{suffix}").read_bytes()

    return make


MAKERS = {
    "jpeg": by_pillow("JPEG", quality=60),
    "progressive jpeg": by_pillow("JPEG", quality=60, progressive=True),
    "png": by_pillow("PNG"),
    "png of 16 bits": lambda picture, _: imagecodecs.png_encode(picture.astype(np.uint16) * 257),
    "webp": by_pillow("WEBP", quality=60),
    "lossless webp": by_pillow("WEBP", lossless=True),
    "tiff": by_tifffile(),
    "strips": by_tifffile(rowsperstrip=3),
    "lzw": by_tifffile(compression="lzw"),
    "deflate": by_tifffile(compression="zlib", predictor=True),
    "zstd": by_tifffile(compression="zstd"),
    "tiles": by_tifffile(tile=(16, 16), compression="packbits"),
    "float tiff": by_us(".tif"),
    "hdr": by_us(".hdr"),
    "pfm": by_us(".pfm"),
    "exr": by_us(".exr"),
}


def pixels_of(path: Path) -> NDArray[np.generic]:
    result = read(path)
    return result.pixels if isinstance(result, Hdr) else result.codes


@pytest.mark.parametrize("kind", MAKERS)
def test_every_prefix_is_an_error_or_the_whole_picture(tmp_path: Path, picture: NDArray[np.uint8], kind: str) -> None:
    path = tmp_path / "a"
    content = MAKERS[kind](picture[:5, :9], tmp_path)
    path.write_bytes(content)
    whole = pixels_of(path)
    step = len(content) // 12 if kind == "exr" else 1  # each of its reads starts a process
    for size in range(0, len(content), step):
        path = tmp_path / f"{size}"  # overwriting one file makes the file system wait for the disk
        path.write_bytes(content[:size])
        try:
            assert np.array_equal(pixels_of(path), whole)
        except HeadroomError as error:
            assert str(path) in str(error)


@pytest.mark.parametrize("kind", MAKERS)
def test_damage_raises_nothing_foreign(tmp_path: Path, picture: NDArray[np.uint8], kind: str) -> None:
    content = MAKERS[kind](picture, tmp_path)
    generator = np.random.default_rng(len(kind))
    for number in range(10 if kind == "exr" else 150):
        damaged = np.frombuffer(content, np.uint8).copy()
        end = len(damaged) if generator.random() < 0.5 else min(120, len(damaged))
        damaged[generator.integers(0, end, generator.integers(1, 6))] = generator.integers(0, 256)
        path = tmp_path / f"{number}"
        path.write_bytes(damaged.tobytes())
        for function in (read, describe):
            try:
                function(path)
            except HeadroomError as error:
                assert str(path) in str(error)


def test_png_checksums_are_checked(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    """Every byte of the compressed pixels, the last ones included, of which the decoder itself is silent."""
    content = MAKERS["png"](picture, tmp_path)
    start = content.index(b"IDAT") + 4
    for at in range(start, content.index(b"IEND") - 4):
        path = tmp_path / f"{at}"
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(CorruptFile):
            read(path)


def png_bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(10_000))), (b"IEND", b""))
    framed = (struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def jpeg_bomb() -> bytes:
    content = bytearray(by_pillow("JPEG")(np.zeros((8, 8, 3), np.uint8), Path()))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", 65_000, 65_000)
    return bytes(content)


def webp_bomb() -> bytes:
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (16_383).to_bytes(3, "little") * 2
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff_bomb() -> bytes:
    content = bytearray(by_tifffile(compression="zlib")(np.zeros((8, 8, 3), np.uint8), Path()))
    with tifffile.TiffFile(BytesIO(content)) as file:
        for code in (256, 257):
            tag = file.pages[0].tags[code]
            struct.pack_into("<HHII", content, tag.offset, code, 4, 1, 60_000)
    return bytes(content)


def exr_bomb() -> bytes:
    window = struct.pack("<4i", 0, 0, 2**30, 2**30)
    channels = b"".join(name + b"\0" + struct.pack("<4i", 1, 0, 1, 1) for name in (b"B", b"G", b"R")) + b"\0"
    attributes = ((b"channels", b"chlist", channels), (b"dataWindow", b"box2i", window))
    framed = (name + b"\0" + kind + b"\0" + struct.pack("<I", len(value)) + value for name, kind, value in attributes)
    return b"v/1\x01\x02\0\0\0" + b"".join(framed) + b"\0"


BOMBS = {
    "png": png_bomb,
    "jpeg": jpeg_bomb,
    "webp": webp_bomb,
    "tiff": tiff_bomb,
    "exr": exr_bomb,
    "hdr": lambda: b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2000000000 +X 2000000000\n",
    "narrow hdr": lambda: b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2000000000\n",
    "pfm": lambda: b"PF\n2000000000 2000000000\n-1.0\n",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_huge_declared_size_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[kind]())
    for function in (read, describe):
        start = time.perf_counter()
        with pytest.raises(LimitExceeded, match=r"bomb: \d+ x \d+ pixels"):
            function(path)
        assert time.perf_counter() - start < 1


def test_limits_at_their_edges() -> None:
    for width, height in ((LIMITS.side_px, 1), (20_000, LIMITS.pixels // 20_000)):
        check_size(Path("a"), width, height)
        with pytest.raises(LimitExceeded):
            check_size(Path("a"), width + 1, height)
    check_metadata(Path("a"), Metadata(xmp=bytes(LIMITS.metadata_bytes)))
    with pytest.raises(LimitExceeded, match="XMP"):
        check_metadata(Path("a"), Metadata(xmp=bytes(LIMITS.metadata_bytes + 1)))
    with pytest.raises(CorruptFile):
        check_size(Path("a"), 0, 5)


def test_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(LIMITS.file_bytes + 1)  # sparse
    with pytest.raises(LimitExceeded, match=f"the limit for PNG is {LIMITS.file_bytes}"):
        read(path)


def test_compressed_bombs_in_metadata_are_cut_short(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    body = b"name\0\0" + zlib.compress(bytes(LIMITS.metadata_bytes * 8), 9)
    png = MAKERS["png"](picture, tmp_path)
    chunk = struct.pack(">I", len(body)) + b"iCCP" + body + struct.pack(">I", zlib.crc32(b"iCCP" + body))
    (tmp_path / "a.png").write_bytes(png[:33] + chunk + png[33:])
    with pytest.raises(LimitExceeded, match="ICC"):
        read(tmp_path / "a.png")


REFUSED = {
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
    "GIF": b"GIF89a\1\0\1\0",
    "BMP": b"BM\0\0\0\0",
    "ISO media": b"\0\0\0\x18ftypmp42",
    "X3F": b"FOVb",
    "PSD": b"8BPS\0\1",
    "PDF": b"%PDF-1.7",
    "DPX": b"SDPX",
    "Netpbm": b"P6\n1 1\n255\n",
    "not an image": b"hello",
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_formats_are_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(REFUSED[name] + bytes(100))
    with pytest.raises(UnsupportedFormat, match=name) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).count(". ") >= 1  # what is wrong, and what to do


def test_empty_file_missing_file_folder_and_pipe(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CorruptFile, match="empty"):
        read(tmp_path / "empty.png")
    for name in ("missing.png", "", "pipe", "a\0b"):
        with pytest.raises(InputError):
            read(tmp_path / name)


def test_photo_and_hdr_are_not_mixed_up(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    (tmp_path / "a").write_bytes(MAKERS["jpeg"](picture, tmp_path))
    (tmp_path / "b").write_bytes(MAKERS["hdr"](picture, tmp_path))
    with pytest.raises(UnsupportedFormat, match="Expand it first"):
        read_hdr(tmp_path / "a")
    with pytest.raises(UnsupportedFormat, match="not a photo"):
        read_photo(tmp_path / "b")
