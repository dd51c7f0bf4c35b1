"""Photos come out of every container as they went in; the writers are those of other libraries."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from headroom.errors import UnsupportedFormat
from headroom.io import describe, read_photo
from headroom.io.jpeg import lossy_step

TIFF_LAYOUTS = {
    "plain": {},
    "big endian": {"byteorder": ">"},
    "big": {"bigtiff": True},
    "lzw": {"compression": "lzw"},
    "deflate": {"compression": "zlib", "predictor": True},
    "zstd": {"compression": "zstd"},
    "packbits": {"compression": "packbits"},
    "strips": {"rowsperstrip": 5, "compression": "zlib"},
    "tiles": {"tile": (16, 16), "compression": "lzw"},
}


def save(path: Path, codes: NDArray[np.uint8], **options: object) -> Path:
    Image.fromarray(codes).save(path, **options)
    return path


def test_jpeg_equals_opencv(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    path = save(tmp_path / "a.jpg", picture, quality=92)
    photo = read_photo(path)
    assert np.array_equal(photo.codes, cv2.imread(str(path))[..., ::-1])
    assert photo.original == path.read_bytes()
    assert (photo.bit_depth, photo.container, photo.source) == (8, "jpeg", path)


def test_grey_jpeg_has_three_equal_channels(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    codes = read_photo(save(tmp_path / "a.jpg", picture[..., 0])).codes
    assert codes.shape == (12, 17, 3)
    assert (codes == codes[..., :1]).all()


def test_cmyk_jpeg_is_refused_by_name(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8)).save(tmp_path / "a.jpg")
    with pytest.raises(UnsupportedFormat, match=r"a\.jpg: CMYK JPEG"):
        read_photo(tmp_path / "a.jpg")


@pytest.mark.parametrize("quality", [50, 60, 75, 85, 90, 95, 100])
def test_lossy_step_is_the_error_of_clipped_codes(quality: int) -> None:
    """90 % of the clipped codes of smooth noisy pictures are off by that much, to a code and a half."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:256, :256]
    errors = []
    for _ in range(4):
        waves = [(*generator.uniform(-0.15, 0.15, 3), generator.uniform(10, 60)) for _ in range(6)]
        surface = sum(strength * np.sin(a * x + b * y + 20 * c) for a, b, c, strength in waves)
        scene = surface[..., None] + [230, 215, 190] + generator.normal(0, 1.5, (256, 256, 3))
        codes = np.clip(np.rint(scene), 0, 255).astype(np.uint8)
        stream = BytesIO()
        Image.fromarray(codes).save(stream, "JPEG", quality=quality)
        image = Image.open(stream)
        errors.append((255 - np.asarray(image).astype(int))[codes == 255])
    assert lossy_step(image.quantization) == pytest.approx(np.percentile(np.concatenate(errors), 90), abs=1.5)


def test_lossy_step_has_bounds() -> None:
    assert lossy_step({0: [255] * 64}) == 6
    assert 1 <= lossy_step({0: [1] * 64}) < 1.5


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_png_of_every_kind_equals_pillow(tmp_path: Path, picture: NDArray[np.uint8], mode: str) -> None:
    image = Image.fromarray(picture).convert(mode)
    image.save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png")
    assert np.array_equal(photo.codes, np.asarray(image.convert("RGB")))
    assert photo.lossy_step == 0


def test_png_drops_alpha_and_keeps_what_lies_under_it(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    save(tmp_path / "a.png", np.dstack([picture, np.zeros((12, 17), np.uint8)]))
    assert np.array_equal(read_photo(tmp_path / "a.png").codes, picture)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_of_16_bits_is_exact(tmp_path: Path, deep_picture: NDArray[np.uint16], channels: int) -> None:
    stored = np.dstack([deep_picture, deep_picture[..., :1]])[..., :channels]
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(np.ascontiguousarray(stored.squeeze())))
    photo = read_photo(tmp_path / "a.png")
    expected = stored[..., :3] if channels > 2 else np.repeat(stored[..., :1], 3, axis=2)
    assert photo.codes.dtype == np.uint16
    assert photo.bit_depth == 16
    assert np.array_equal(photo.codes, expected)


@pytest.mark.parametrize("layout", TIFF_LAYOUTS)
@pytest.mark.parametrize("is_deep", [False, True])
def test_tiff_of_every_layout_is_exact(
    tmp_path: Path, picture: NDArray[np.uint8], deep_picture: NDArray[np.uint16], layout: str, is_deep: bool
) -> None:
    codes = deep_picture if is_deep else picture
    tifffile.imwrite(tmp_path / "a.tif", codes, photometric="rgb", **TIFF_LAYOUTS[layout])
    photo = read_photo(tmp_path / "a.tif")
    assert np.array_equal(photo.codes, codes)
    assert photo.bit_depth == codes.itemsize * 8


def test_planar_tiff_is_exact(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    planes = np.moveaxis(picture, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate", compression="zlib")
    assert np.array_equal(read_photo(tmp_path / "a.tif").codes, picture)


def test_grey_tiff_white_is_zero(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", picture[..., 0], photometric="miniswhite")
    assert np.array_equal(read_photo(tmp_path / "a.tif").codes[..., 1], 255 - picture[..., 0])


def test_palette_tiff_equals_pillow(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    image = Image.fromarray(picture).quantize(16)
    image.save(tmp_path / "a.tif")
    assert np.array_equal(read_photo(tmp_path / "a.tif").codes, np.asarray(image.convert("RGB")))


def test_alpha_and_further_pages_of_a_tiff_are_dropped(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(np.dstack([picture, picture[..., :1]]), photometric="rgb", extrasamples=["unassalpha"])
        file.write(picture[::-1], photometric="rgb")
    assert np.array_equal(read_photo(tmp_path / "a.tif").codes, picture)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"photometric": "separated", "extrasamples": []}, "SEPARATED"),
        ({"photometric": "rgb", "compression": "lzma"}, "LZMA"),
    ],
)
def test_tiff_that_is_not_read_is_refused_by_name(
    tmp_path: Path, picture: NDArray[np.uint8], options: dict[str, object], words: str
) -> None:
    codes = np.dstack([picture, picture[..., :1]]) if words == "SEPARATED" else picture
    tifffile.imwrite(tmp_path / "a.tif", codes, **options)
    with pytest.raises(UnsupportedFormat, match=words):
        read_photo(tmp_path / "a.tif")


def test_tiff_of_32_bit_integers_is_refused(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", picture.astype(np.uint32), photometric="rgb")
    with pytest.raises(UnsupportedFormat, match="32 bits"):
        read_photo(tmp_path / "a.tif")


@pytest.mark.parametrize(("options", "is_exact"), [({"lossless": True}, True), ({"quality": 90}, False)])
def test_webp_equals_opencv(
    tmp_path: Path, picture: NDArray[np.uint8], options: dict[str, object], is_exact: bool
) -> None:
    photo = read_photo(save(tmp_path / "a.webp", picture, **options))
    assert np.array_equal(photo.codes, cv2.imread(str(tmp_path / "a.webp"))[..., ::-1])
    assert np.array_equal(photo.codes, picture) is is_exact
    assert (photo.lossy_step == 0) is is_exact


def test_animations_give_the_first_frame(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    frames = [Image.fromarray(picture), Image.fromarray(255 - picture)]
    for name, options in (("a.webp", {"lossless": True}), ("a.png", {})):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        assert np.array_equal(read_photo(tmp_path / name).codes, picture)


def test_wrong_suffix_plays_no_part(tmp_path: Path, picture: NDArray[np.uint8]) -> None:
    for image_format in ("JPEG", "PNG", "WEBP", "TIFF"):
        for suffix in (".jpg", ".png", ".tif", ".exr", ".hdr", ""):
            path = tmp_path / f"{image_format}{suffix}"
            Image.fromarray(picture).save(path, image_format)
            assert describe(path).container == image_format.lower()
            assert read_photo(path).codes.shape == picture.shape
