"""The corners of Radiance .hdr: old runs, flat pixels, orientation, exposure, primaries, XYZE."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import colour
from headroom.errors import CorruptFile, UnsupportedFormat
from headroom.image import FloatImage
from headroom.io import read_hdr

PIXELS = np.random.default_rng(1).integers(2, 256, (5, 9, 4), dtype=np.uint8)


def expected_light(pixels: NDArray[np.uint8]) -> FloatImage:
    """Return the definition's value of each pixel, one at a time."""
    return np.array([[[v * 2.0 ** (int(p[3]) - 136) for v in p[:3]] for p in line] for line in pixels], np.float32)


def save(path: Path, body: bytes, *, size: str = "-Y 5 +X 9", header: str = "FORMAT=32-bit_rle_rgbe\n") -> Path:
    path.write_bytes(f"#?RADIANCE\n# a comment\n{header}\n{size}\n".encode() + body)
    return path


def test_flat_pixels(tmp_path: Path) -> None:
    result = read_hdr(save(tmp_path / "a.hdr", PIXELS.tobytes())).pixels
    assert np.array_equal(result, expected_light(PIXELS))


def test_exponent_zero_is_black(tmp_path: Path) -> None:
    pixels = PIXELS.copy()
    pixels[..., 3] = 0
    assert not read_hdr(save(tmp_path / "a.hdr", pixels.tobytes())).pixels.any()


def test_old_runs(tmp_path: Path) -> None:
    width = 2 + 3 + 1 + (5 + 2 * 256)
    line = bytes([9, 8, 7, 130, 20, 30, 40, 129, 1, 1, 1, 3, 50, 60, 70, 128, 1, 1, 1, 5, 1, 1, 1, 2])
    values = [[9, 8, 7, 130]] + [[20, 30, 40, 129]] * 4 + [[50, 60, 70, 128]] * (1 + 5 + 512)
    path = save(tmp_path / "a.hdr", line * 2, size=f"-Y 2 +X {width}")
    # By the format's text alone: neither OpenCV nor OpenImageIO reads such files.
    assert np.array_equal(read_hdr(path).pixels, expected_light(np.array([values, values], np.uint8)))


@pytest.mark.parametrize("line", [[1, 1, 1, 9], [9, 9, 9, 9, 1, 1, 1, 9], [9, 9, 9, 9, 1, 1, 1, 7, 1, 1, 1, 1]])
def test_impossible_old_runs(tmp_path: Path, line: list[int]) -> None:
    with pytest.raises(CorruptFile, match=r"a\.hdr"):
        read_hdr(save(tmp_path / "a.hdr", bytes(line), size="-Y 1 +X 9"))


@pytest.mark.parametrize("runs", [[200, 5], [137, 5, 128], [0] * 40, [9, 1, 2]])
def test_impossible_new_runs(tmp_path: Path, runs: list[int]) -> None:
    with pytest.raises(CorruptFile, match=r"a\.hdr"):
        read_hdr(save(tmp_path / "a.hdr", bytes([2, 2, 0, 9, *runs]), size="-Y 1 +X 9"))


@pytest.mark.parametrize("rows", "+-")
@pytest.mark.parametrize("columns", "+-")
@pytest.mark.parametrize("rows_first", [True, False])
def test_eight_orientations(tmp_path: Path, rows: str, columns: str, rows_first: bool) -> None:
    """The stored order of each, made from the upright picture by the format's own words."""
    stored = PIXELS[:: 1 if rows == "-" else -1, :: 1 if columns == "+" else -1]
    if not rows_first:
        stored = stored.swapaxes(0, 1)
    size = f"{rows}Y 5 {columns}X 9" if rows_first else f"{columns}X 9 {rows}Y 5"
    path = save(tmp_path / "a.hdr", np.ascontiguousarray(stored).tobytes(), size=size)
    assert np.array_equal(read_hdr(path).pixels, expected_light(PIXELS))


def test_exposures_are_divided_out(tmp_path: Path) -> None:
    header = "EXPOSURE=4\nFORMAT=32-bit_rle_rgbe\nEXPOSURE= 0.5\n"
    result = read_hdr(save(tmp_path / "a.hdr", PIXELS.tobytes(), header=header)).pixels
    assert np.array_equal(result, expected_light(PIXELS) / 2)


def test_other_primaries_become_wider_ones(tmp_path: Path) -> None:
    """Radiance's own primaries, whose white is of equal energy, against colour-science."""
    pixels = np.full((5, 9, 4), 128, np.uint8) + np.arange(9, dtype=np.uint8)[:, None] * [[1, 0, 0, 0]]
    header = "PRIMARIES=0.640 0.330 0.290 0.600 0.150 0.060 0.3333 0.3333\nFORMAT=32-bit_rle_rgbe\n"
    hdr = read_hdr(save(tmp_path / "a.hdr", pixels.astype(np.uint8).tobytes(), header=header))
    primaries, white = np.array([[0.64, 0.33], [0.29, 0.6], [0.15, 0.06]]), np.array([0.3333, 0.3333])
    matrix = colour.normalised_primary_matrix(primaries, white)
    p3 = colour.RGB_COLOURSPACES["Display P3"]
    adapt = colour.adaptation.matrix_chromatic_adaptation_VonKries(
        colour.xy_to_XYZ(white), colour.xy_to_XYZ(p3.whitepoint), transform="Bradford"
    )
    expected = expected_light(pixels.astype(np.uint8)) @ (np.linalg.inv(p3.matrix_RGB_to_XYZ) @ adapt @ matrix).T
    assert hdr.primaries == "p3"
    np.testing.assert_allclose(hdr.pixels, expected, rtol=2e-3)


def test_xyze_white_is_white(tmp_path: Path) -> None:
    pixels = np.full((5, 9, 4), 128, np.uint8)
    hdr = read_hdr(save(tmp_path / "a.hdr", pixels.tobytes(), header="FORMAT=32-bit_rle_xyze\n"))
    np.testing.assert_allclose(hdr.pixels, 128 / 256, rtol=1e-3)


@pytest.mark.parametrize(
    "header", ["EXPOSURE=0\n", "EXPOSURE=nan\n", "EXPOSURE=x\n", "PRIMARIES=1 2 3\n", "PRIMARIES=a\n"]
)
def test_impossible_variables(tmp_path: Path, header: str) -> None:
    with pytest.raises(CorruptFile):
        read_hdr(save(tmp_path / "a.hdr", PIXELS.tobytes(), header=header))


def test_other_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormat, match="spectral"):
        read_hdr(save(tmp_path / "a.hdr", PIXELS.tobytes(), header="FORMAT=spectral\n"))


@pytest.mark.parametrize("size", ["-Y 5 -Y 9", "5 9", "-Y five +X 9"])
def test_impossible_resolution(tmp_path: Path, size: str) -> None:
    with pytest.raises(CorruptFile):
        read_hdr(save(tmp_path / "a.hdr", PIXELS.tobytes(), size=size))
