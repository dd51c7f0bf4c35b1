"""Clean aperture, turns and mirror images of AVIF and HEIC: the part that is shown, upright, as libheif shows it."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from makers import box, with_properties
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("pillow_heif")

import pillow_heif

from headroom.errors import CorruptFile
from headroom.io import describe, read_photo

Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
HEIGHT, WIDTH = 96, 128


def picture() -> NDArray[np.uint8]:
    """Return a picture whose every pixel is another one."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([x * 2, y * 2, (x + y) % 128], axis=-1).astype(np.uint8)


def clap(width: float, height: float, right: float = 0, down: float = 0, divisor: int = 2) -> bytes:
    """Return a clean aperture of this size whose middle lies that far from the picture's."""
    sizes = [round(value * divisor) for value in (width, height)]
    offsets = [round(value * divisor) for value in (right, down)]
    numbers = [number for value in (*sizes, *offsets) for number in (value, divisor)]
    return box(b"clap", struct.pack(">IIIIiIiI", *numbers))


def irot(quarters: int) -> bytes:
    return box(b"irot", bytes([quarters]))


def imir(axis: int) -> bytes:
    return box(b"imir", bytes([axis]))


def stored(suffix: str) -> bytes:
    if suffix == "avif":
        return bytes(imagecodecs.avif_encode(picture(), 100, speed=9, matrix=0, primaries=1, transfer=13))
    stream = BytesIO()
    pillow_heif.from_pillow(Image.fromarray(picture())).save(stream, quality=-1, matrix_coefficients=0, chroma=444)
    return stream.getvalue()


CASES: dict[str, tuple[tuple[bytes, ...], Change]] = {
    "middle": ((clap(40, 20),), lambda p: p[38:58, 44:84]),
    "corner": ((clap(100, 90, -14, 3),), lambda p: p[6:, :100]),
    "odd sides": ((clap(41, 21, 0.5, -0.5),), lambda p: p[37:58, 44:85]),
    "all": ((clap(WIDTH, HEIGHT),), lambda p: p),
    "cropped, then turned": ((clap(40, 20, 10, 6), irot(1)), lambda p: np.rot90(p[44:64, 54:94])),
    "turned, then cropped": ((irot(1), clap(40, 20, 10, 6)), lambda p: np.rot90(p)[60:80, 38:78]),
    "cropped, turned, mirrored": (
        (clap(100, 90, -14, 3), irot(3), imir(0)),
        lambda p: np.rot90(p[6:, :100], 3)[::-1],
    ),
    "mirrored, cropped, turned": (
        (imir(1), clap(40, 20, 10, 6), irot(2)),
        lambda p: np.rot90(p[:, ::-1][44:64, 54:94], 2),
    ),
    "cropped twice": ((clap(40, 20), clap(10, 4, 15, -8)), lambda p: p[38:42, 74:84]),
    "of half a pixel": ((clap(40.5, 19.5, 0.25, 0, divisor=4),), lambda p: p[38:58, 44:85]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_what_is_shown(tmp_path: Path, suffix: str, case: str) -> None:
    path, (added, change) = tmp_path / f"a.{suffix}", CASES[case]
    path.write_bytes(with_properties(stored(suffix), *added))
    photo, facts, expected = read_photo(path), describe(path), change(picture())
    assert np.array_equal(photo.codes, expected)
    assert (facts.height, facts.width) == expected.shape[:2]
    if suffix == "heic":
        assert np.array_equal(np.asarray(pillow_heif.open_heif(path).to_pillow()), expected)


@pytest.mark.parametrize(
    "added",
    [clap(0, 20), clap(40, 20, 200), clap(40, 20, 0, -200), clap(40, 20).replace(struct.pack(">I", 2), bytes(4))],
)
@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_no_part_of_the_picture(tmp_path: Path, suffix: str, added: bytes) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(with_properties(stored(suffix), added))
    for function in (describe, read_photo):
        with pytest.raises(CorruptFile, match=f"a.{suffix}: .*header is damaged"):
            function(path)


@pytest.mark.external
@pytest.mark.parametrize("mirrored", [[], ["--imir", "0"], ["--imir", "1"]])
@pytest.mark.parametrize("quarters", range(4))
def test_what_avifenc_writes_is_shown_as_libheif_shows_it(tmp_path: Path, quarters: int, mirrored: list[str]) -> None:
    for program in ("avifenc", "heif-convert"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed; run `make test-external`")
    Image.fromarray(picture()).save(tmp_path / "in.png")
    options = ["--lossless", "--crop", "10,6,100,80", "--irot", str(quarters), *mirrored]
    for line in (["avifenc", *options, "in.png", "a.avif"], ["heif-convert", "a.avif", "out.png"]):
        subprocess.run(line, check=True, capture_output=True, timeout=100, cwd=tmp_path)
    with Image.open(tmp_path / "out.png") as image:
        assert np.array_equal(read_photo(tmp_path / "a.avif").codes, np.asarray(image.convert("RGB")))
