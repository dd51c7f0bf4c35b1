"""Stated brightness is read as it was stated, by us and by others."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from makers import box, with_properties
from PIL import Image

from headroom.image import SDR_WHITE_NITS, Hdr, Metadata
from headroom.io import describe, write_hdr
from headroom.io.light_levels import LightLevels
from headroom.io.options import WriteOptions
from headroom.io.png_file import with_chunks

# Display P3 primaries and D65 in steps of 0.00002, 1000 and 0.005 cd/m2 in ten-thousandths (SMPTE ST 2086).
DISPLAY = struct.pack(">8HII", 34_000, 16_000, 13_250, 34_500, 7_500, 3_000, 15_635, 16_450, 10_000_000, 50)


@pytest.fixture
def hdr() -> Hdr:
    pixels = np.full((20, 30, 3), 0.5, np.float32)
    pixels[:5] = 8
    return Hdr(pixels)


@pytest.mark.parametrize("suffix", ["png", "avif"])
def test_what_was_written_is_read(tmp_path: Path, hdr: Hdr, suffix: str) -> None:
    write_hdr(hdr, tmp_path / f"a.{suffix}", options=WriteOptions(quality=100))
    stated = describe(tmp_path / f"a.{suffix}").light_levels
    assert stated.max_cll_nits == pytest.approx(8 * SDR_WHITE_NITS, rel=0.006)  # the light of a code
    assert stated.max_fall_nits == pytest.approx((8 * 0.25 + 0.5 * 0.75) * SDR_WHITE_NITS, rel=0.006)
    assert (stated.mastering_nits, stated.intensity_target_nits) == (None, None)


def test_mastering_display(tmp_path: Path, hdr: Hdr) -> None:
    write_hdr(hdr, tmp_path / "a.avif")
    before = describe(tmp_path / "a.avif").light_levels
    (tmp_path / "b.avif").write_bytes(with_properties((tmp_path / "a.avif").read_bytes(), box(b"mdcv", DISPLAY)))
    after = describe(tmp_path / "b.avif").light_levels
    assert after.mastering_nits == (0.005, 1000)
    assert (after.max_cll_nits, after.max_fall_nits) == (before.max_cll_nits, before.max_fall_nits)
    write_hdr(hdr, tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "b.png").write_bytes(with_chunks(content, [(b"mDCV", DISPLAY)], Metadata()))
    assert describe(tmp_path / "b.png").light_levels.mastering_nits == (0.005, 1000)


@pytest.mark.parametrize(("levels", "display"), [(bytes(8), bytes(24)), (b"abc", b"abc"), (b"", b"")])
def test_nothing_is_stated(tmp_path: Path, levels: bytes, display: bytes) -> None:
    Image.new("RGB", (3, 4)).save(tmp_path / "a.png")
    chunks = [(b"cLLI", levels), (b"mDCV", display)]
    (tmp_path / "b.png").write_bytes(with_chunks((tmp_path / "a.png").read_bytes(), chunks, Metadata()))
    assert describe(tmp_path / "b.png").light_levels == LightLevels()
