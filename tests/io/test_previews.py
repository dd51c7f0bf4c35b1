"""The 8-bit rendition."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from headroom.errors import OutputError, UsageError
from headroom.image import Hdr
from headroom.io import write_preview


def test_dark_half_is_plain_srgb_and_highlights_keep_their_order(tmp_path: Path) -> None:
    ramp = np.geomspace(0.01, 64, 256, dtype=np.float32)
    write_preview(Hdr(np.broadcast_to(ramp[None, :, None], (8, 256, 3))), tmp_path / "a.png")
    codes = cv2.imread(str(tmp_path / "a.png"))[0, :, 0].astype(int)
    below = ramp < 0.5
    expected = np.where(ramp <= 0.0031308, 12.92 * ramp, 1.055 * ramp ** (1 / 2.4) - 0.055) * 255  # IEC 61966-2-1
    np.testing.assert_allclose(codes[below], expected[below], atol=0.51)
    assert (np.diff(codes) >= 0).all()
    assert codes[np.searchsorted(ramp, 8)] < codes[-1] <= 255


def test_p3_is_converted(tmp_path: Path) -> None:
    red = np.broadcast_to(np.float32([0.4, 0, 0]), (8, 8, 3))
    write_preview(Hdr(red, "p3"), tmp_path / "a.png")
    write_preview(Hdr(red), tmp_path / "b.png")
    brighter, plain = (np.asarray(Image.open(tmp_path / name))[0, 0] for name in ("a.png", "b.png"))
    assert brighter[0] > plain[0]
    assert brighter[1] == brighter[2] == 0


@pytest.mark.parametrize(("name", "container"), [("a.png", "PNG"), ("a.JPG", "JPEG"), ("a.jpeg", "JPEG")])
def test_suffix_decides(tmp_path: Path, name: str, container: str) -> None:
    write_preview(Hdr(np.full((5, 7, 3), 0.5, np.float32)), tmp_path / name)
    with Image.open(tmp_path / name) as image:
        assert (image.format, image.size, image.getpixel((3, 3))) == (container, (7, 5), (188, 188, 188))


def test_wrong_suffix_and_missing_folder(tmp_path: Path) -> None:
    hdr = Hdr(np.zeros((4, 4, 3), np.float32))
    with pytest.raises(UsageError, match=r"\.png"):
        write_preview(hdr, tmp_path / "a.exr")
    with pytest.raises(OutputError, match="no folder"):
        write_preview(hdr, tmp_path / "missing" / "a.png")
