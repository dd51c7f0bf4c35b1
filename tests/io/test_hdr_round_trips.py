"""Linear light goes out and comes back, and other libraries read and write the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from headroom.colour.icc import profile_for
from headroom.errors import OutputError, UsageError
from headroom.image import Encoding, FloatImage, Hdr
from headroom.io import describe, pfm, read_hdr, rgbe, write_hdr
from headroom.io.options import WriteOptions

EXACT = {
    "a.exr": WriteOptions(half=False),
    "a.tif": WriteOptions(),
    "b.tif": WriteOptions(compress=False),
    "a.pfm": WriteOptions(),
}
FINITE = st.floats(0, float(np.finfo(np.float32).max), width=32)
IMAGES = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 5), st.integers(1, 40), st.just(3)), elements=FINITE, fill=FINITE
)


def by_openimageio(path: Path) -> FloatImage:
    image = OpenImageIO.ImageInput.open(str(path))
    return np.asarray(image.read_image(0, 0, 0, 3, "float"))


def largest_channel_error(result: FloatImage, expected: FloatImage) -> float:
    largest = np.maximum(expected.max(axis=-1, keepdims=True), np.finfo(np.float32).tiny)
    return float((np.abs(result - expected) / largest).max())


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("largest", [1.0, float(np.finfo(np.float32).max)])
def test_floats_come_back_bit_for_bit(tmp_path: Path, light: FloatImage, name: str, largest: float) -> None:
    light[5, 5] = [largest, np.finfo(np.float32).tiny, np.finfo(np.float32).smallest_subnormal]
    write_hdr(Hdr(light), tmp_path / name, options=EXACT[name])
    assert np.array_equal(read_hdr(tmp_path / name).pixels.view(np.uint32), light.view(np.uint32))
    if not name.endswith(".pfm"):  # which OpenImageIO turns upside down; OpenCV reads it below
        assert np.array_equal(by_openimageio(tmp_path / name), light)


def test_half_exr_rounds_and_clamps(tmp_path: Path, light: FloatImage) -> None:
    light[5, 5] = [1e9, 65520, 65504]
    write_hdr(Hdr(light), tmp_path / "a.exr")
    expected = np.minimum(light, 65504).astype(np.float16).astype(np.float32)
    assert np.array_equal(read_hdr(tmp_path / "a.exr").pixels, expected)
    assert describe(tmp_path / "a.exr").bit_depth == 16


@pytest.mark.parametrize("name", ["a.exr", "a.hdr", "a.tif"])
@pytest.mark.parametrize("primaries", ["bt709", "p3", "bt2020", "adobe-rgb"])
def test_primaries_are_stored(tmp_path: Path, light: FloatImage, name: str, primaries: str) -> None:
    write_hdr(Hdr(light, primaries), tmp_path / name)
    assert read_hdr(tmp_path / name).primaries == primaries
    assert describe(tmp_path / name).encoding == Encoding(primaries, "linear")


def test_pfm_is_always_bt709(tmp_path: Path) -> None:
    green = np.broadcast_to(np.float32([0, 1, 0]), (4, 4, 3))
    write_hdr(Hdr(green, "p3"), tmp_path / "a.pfm")
    # P3 green lies outside BT.709: its red is below 0 there (-0.2249 by SMPTE EG 432-1), which a file of light is not.
    np.testing.assert_allclose(read_hdr(tmp_path / "a.pfm").pixels[0, 0], [0, 1.0421, 0], atol=2e-4)


@settings(max_examples=60, deadline=None)
@given(IMAGES)
def test_rgbe_is_off_by_at_most_a_256th_of_the_largest_channel(image: FloatImage) -> None:
    in_range = np.where(image < 2.0**-126, 0, np.minimum(image, 2.0**126)).astype(np.float32)
    packed = rgbe.pack(rgbe.to_rgbe(in_range))
    result = rgbe.from_rgbe(rgbe.unpack(packed, 0, image.shape[1], image.shape[0]))
    assert largest_channel_error(result, in_range) <= 1 / 256


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.integers(1, 700), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_run_lengths_come_back(lines: int, width: int, seed: int, change: float) -> None:
    """Whatever the mixture of runs and noise."""
    generator = np.random.default_rng(seed)
    steps = generator.random((lines, width, 4)) < change
    pixels = (np.cumsum(steps, axis=1) * 37 % 256).astype(np.uint8) | np.uint8(2)  # never (1, 1, 1) of old runs
    packed = rgbe.pack(pixels)
    assert np.array_equal(rgbe.unpack(packed, 0, width, lines), pixels)
    assert len(packed) <= lines * (4 + 4 * (width + width // 128 + 1))


@settings(max_examples=40, deadline=None)
@given(IMAGES, st.booleans(), st.sampled_from([1.0, 0.5]))
def test_pfm_of_both_byte_orders(image: FloatImage, big: bool, scale: float) -> None:
    height, width = image.shape[:2]
    header = f"PF\n{width} {height}\n{scale if big else -scale}\n".encode()
    content = header + image[::-1].astype(">f4" if big else "<f4").tobytes()
    assert np.array_equal(pfm.read(Path("a.pfm"), content).pixels, image * np.float32(scale))


def test_grey_pfm_by_opencv(tmp_path: Path, light: FloatImage) -> None:
    cv2.imwrite(str(tmp_path / "a.pfm"), light[..., 1])
    assert np.array_equal(read_hdr(tmp_path / "a.pfm").pixels, np.repeat(light[..., 1:2], 3, axis=2))


def test_pfm_by_opencv(tmp_path: Path, light: FloatImage) -> None:
    write_hdr(Hdr(light), tmp_path / "a.pfm")
    assert np.array_equal(cv2.imread(str(tmp_path / "a.pfm"), cv2.IMREAD_UNCHANGED)[..., ::-1], light)


@pytest.mark.parametrize("width", [3, 7, 8, 19, 300])
def test_radiance_written_here_is_read_alike_elsewhere(tmp_path: Path, width: int) -> None:
    light = np.exp2(np.random.default_rng(width).uniform(-20, 20, (9, width, 3))).astype(np.float32)
    light[3:6] = light[3, 0]
    write_hdr(Hdr(light), tmp_path / "a.hdr")
    ours = read_hdr(tmp_path / "a.hdr").pixels
    assert largest_channel_error(ours, light) <= 1 / 256
    np.testing.assert_allclose(cv2.imread(str(tmp_path / "a.hdr"), -1)[..., ::-1], ours, rtol=1e-6)
    np.testing.assert_allclose(by_openimageio(tmp_path / "a.hdr"), ours, rtol=1e-6)


def test_float_tiff_by_opencv_and_tifffile(tmp_path: Path, light: FloatImage) -> None:
    write_hdr(Hdr(light, "p3"), tmp_path / "a.tif")
    assert np.array_equal(cv2.imread(str(tmp_path / "a.tif"), cv2.IMREAD_UNCHANGED)[..., ::-1], light)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert np.array_equal(file.asarray(), light)
        assert file.pages[0].tags[34675].value == profile_for(Encoding("p3", "linear"))


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_float_tiff_of_every_size(tmp_path: Path, light: FloatImage, kind: str) -> None:
    stored = np.minimum(light, 60000).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", compression="zstd")
    assert np.array_equal(read_hdr(tmp_path / "a.tif").pixels, stored.astype(np.float32))


def test_what_is_no_light_is_replaced(tmp_path: Path, light: FloatImage) -> None:
    stored = light.copy()
    stored[2, 2], stored[3, 3] = [np.nan, -1, np.inf], [-np.inf, 2, -0.0]
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb")
    pixels = read_hdr(tmp_path / "a.tif").pixels
    assert pixels[2, 2].tolist() == [0, 0, light.max()]
    assert pixels[3, 3].tolist() == [0, 2, 0]


def test_format_may_be_named(tmp_path: Path, light: FloatImage) -> None:
    write_hdr(Hdr(light), tmp_path / "a.data", format="pfm", options=WriteOptions())
    assert describe(tmp_path / "a.data").container == "pfm"


@pytest.mark.parametrize(("name", "container"), [("a.gif", None), ("a", None), ("a.exr", "webp"), ("a.exr", "nothing")])
def test_unknown_format_is_a_usage_error(tmp_path: Path, light: FloatImage, name: str, container: str | None) -> None:
    with pytest.raises(UsageError):
        write_hdr(Hdr(light), tmp_path / name, format=container)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["exr", "hdr", "pfm", "tif", "jpg"])
def test_missing_folder_is_named(tmp_path: Path, light: FloatImage, suffix: str) -> None:
    with pytest.raises(OutputError, match=r"there is no folder .*missing"):
        write_hdr(Hdr(light), tmp_path / "missing" / f"a.{suffix}")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder in which nobody can write")
@pytest.mark.parametrize("suffix", ["exr", "hdr", "pfm", "tif", "jpg", "png", "avif", "jxl"])
def test_a_folder_that_bears_no_file_is_named(light: FloatImage, suffix: str) -> None:
    with pytest.raises(OutputError, match=rf"^/proc/a\.{suffix}: cannot be written \(\w[\w ]*\)\. Check the folder"):
        write_hdr(Hdr(light), Path(f"/proc/a.{suffix}"))


def test_a_folder_is_no_target(tmp_path: Path, light: FloatImage) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        write_hdr(Hdr(light), tmp_path, format="exr")


def test_failure_leaves_the_old_file(tmp_path: Path, light: FloatImage) -> None:
    path = tmp_path / "a.exr"
    path.write_bytes(b"old")
    unserialisable = replace(Hdr(light), provenance={"method": object()})
    with pytest.raises(TypeError):
        write_hdr(unserialisable, path)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.exr"]


@pytest.mark.parametrize("name", ["%d ü 😀.exr", "-x?a=1#.exr", "a\nb.exr", "\udce4.exr"])
def test_hostile_names(tmp_path: Path, light: FloatImage, name: str) -> None:
    path = tmp_path / name
    try:
        write_hdr(Hdr(light), path, options=WriteOptions(half=False))
    except OutputError as error:
        assert "UTF-8" in str(error)  # OpenImageIO takes no other names
        assert "\udce4" in name
    else:
        assert np.array_equal(read_hdr(path).pixels, light)
