"""Photos are written whatever the order of their codes in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import headroom
from headroom.image import Photo


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bits", [8, 16])
def test_turned_and_planar_codes_are_written(tmp_path: Path, suffix: str, bits: int) -> None:
    codes = np.random.default_rng(0).integers(0, 2**bits, (3, 20, 30)).astype(f"uint{bits}")
    path = tmp_path / f"photo{suffix}"
    for given in (codes.transpose(1, 2, 0), codes.transpose(1, 2, 0)[::-1, ::-1]):
        assert not given.flags.c_contiguous
        headroom.write_photo(Photo(given, bits), path)
        np.testing.assert_array_equal(headroom.read_photo(path).codes, given)
