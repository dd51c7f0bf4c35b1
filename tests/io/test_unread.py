"""What a file holds besides its picture is named, not dropped in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headroom.io import read
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


def test_further_pictures_of_an_animation_are_counted(tmp_path: Path) -> None:
    further = [picture(255).rotate(90 * i) for i in (1, 2, 3)]
    picture(255).convert("RGB").save(
        tmp_path / "a.webp", save_all=True, append_images=[each.convert("RGB") for each in further], lossless=True
    )
    assert unread(read(tmp_path / "a.webp")) == [SENTENCE + "further pictures (3)"]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_without_alpha_has_none(channels: int) -> None:
    assert alpha_of(np.zeros((4, 5, channels), np.uint8), 8) == ()
    assert alpha_of(np.zeros((4, 5), np.uint8), 8) == ()


def test_full_scale_is_that_of_the_depth_or_one() -> None:
    assert alpha_of(np.full((4, 5, 4), 1023, np.uint16), 10) == ()
    assert alpha_of(np.full((4, 5, 2), 1023, np.uint16), 16) == ("alpha",)
    assert alpha_of(np.ones((4, 5, 4), np.float32), 32) == ()
