"""The eight EXIF orientations, against Pillow's own transposition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from headroom.io import describe, exif, orientation, read_photo

FORMATS = {".jpg": {"quality": 100}, ".png": {}, ".webp": {"lossless": True}, ".tif": {}}


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
