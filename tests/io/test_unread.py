"""What a file holds besides its picture is named, not dropped in silence."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from headroom.image import Hdr
from headroom.io import read, write_hdr
from headroom.io.options import WriteOptions
from headroom.io.unread import alpha_of, unread

CODES = np.random.default_rng(0).integers(0, 256, (24, 32, 4), np.uint8)
SENTENCE = "what the file holds besides its picture is left out: "


def picture(alpha: int) -> Image.Image:
    codes = CODES.copy()
    codes[..., 3] = 255
    codes[3, 5, 3] = alpha
    return Image.fromarray(codes)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
@pytest.mark.parametrize(("alpha", "expected"), [(254, [SENTENCE + "alpha"]), (255, [])])
def test_alpha_that_is_not_opaque_is_named(tmp_path: Path, suffix: str, alpha: int, expected: list[str]) -> None:
    picture(alpha).save(tmp_path / f"a{suffix}", lossless=True)
    assert unread(read(tmp_path / f"a{suffix}")) == expected


@pytest.mark.parametrize("suffix", [".webp", ".png"])
def test_further_pictures_are_counted(tmp_path: Path, suffix: str) -> None:
    first, *further = [picture(255).convert("RGB").rotate(90 * turn) for turn in range(4)]
    first.save(tmp_path / f"a{suffix}", save_all=True, append_images=further, lossless=True)
    assert unread(read(tmp_path / f"a{suffix}")) == [SENTENCE + "further pictures (3)"]


def test_a_still_png_that_is_none_of_its_animation_counts_all_of_it(tmp_path: Path) -> None:
    first, *further = [picture(255).rotate(90 * turn) for turn in range(4)]
    first.save(tmp_path / "a.png", save_all=True, append_images=further, default_image=True)
    assert unread(read(tmp_path / "a.png")) == [SENTENCE + "further pictures (3)"]


def test_alpha_of_an_hdr_png_is_named(tmp_path: Path) -> None:
    write_hdr(Hdr(np.ones((8, 8, 3), np.float32)), tmp_path / "a.png", options=WriteOptions(transfer="pq"))
    content = (tmp_path / "a.png").read_bytes()
    codes = np.zeros((8, 8, 4), np.uint16)
    clear = imagecodecs.png_encode(codes)
    start, end = content.index(b"cICP") - 4, content.index(b"cICP") + 12
    (tmp_path / "b.png").write_bytes(clear[:33] + content[start:end] + clear[33:])
    assert unread(read(tmp_path / "b.png")) == [SENTENCE + "alpha"]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_without_alpha_has_none(channels: int) -> None:
    assert alpha_of(np.zeros((4, 5, channels), np.uint8), 8) == ()
    assert alpha_of(np.zeros((4, 5), np.uint8), 8) == ()


def test_full_scale_is_that_of_the_depth_or_one() -> None:
    assert alpha_of(np.full((4, 5, 4), 1023, np.uint16), 10) == ()
    assert alpha_of(np.full((4, 5, 2), 1023, np.uint16), 16) == ("alpha",)
    assert alpha_of(np.ones((4, 5, 4), np.float32), 32) == ()
