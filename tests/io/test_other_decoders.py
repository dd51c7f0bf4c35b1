"""What other readers make of our files, to the last step: only their own rounding and filters differ from ours.

libultrahdr keeps the base in YCbCr floats, reads sRGB and gain from tables of 1024 entries, repeats chroma, and fills
small maps in by inverse distance from the map's pixel corners; the format (Ultra HDR 1.1, "Display") leaves the filter
to the reader, "bilinear or better". Everything that a file decides is therefore checked three times: at full size
against our own decode; at every size against a model of that reader; and at every size our own decode against a
bilinear reader of nothing but Pillow, NumPy and the numbers of the XMP.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import imagecodecs
import numpy as np
import OpenImageIO
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.MpoImagePlugin import MpoImageFile

from headroom.image import GainMap, Hdr
from headroom.io import read_photo, write_hdr
from headroom.io.convert import as_hdr
from headroom.io.gain_map_jpeg import read_gain_map_jpeg
from headroom.io.options import WriteOptions

Doubles = NDArray[np.float64]
Reader = Callable[[Path], Doubles]
ADOBE = "{http://ns.adobe.com/hdr-gain-map/1.0/}"


def by_libultrahdr(path: Path) -> Doubles:
    return imagecodecs.ultrahdr_decode(path.read_bytes(), dtype=np.float16)[..., :3].astype(np.float64)


def by_openimageio(path: Path) -> Doubles:
    return OpenImageIO.ImageBuf(str(path)).get_pixels(OpenImageIO.FLOAT)[..., :3].astype(np.float64)


def expanded(height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return sRGB codes of 40 and more, and the light of a scene that goes 3.2 stops beyond them."""
    y, x = np.mgrid[0:height, 0:width] / width
    wall = 0.4 + 0.35 * np.stack([np.sin(9 * x + i) * np.cos(7 * y + 2 * i) for i in range(3)], axis=-1)
    lamp = 9 * np.exp(-40 * ((x - 0.5) ** 2 + (y - 0.3) ** 2))[..., None] * [1, 0.8, 0.5]
    light = (np.maximum(wall, 0.03) + lamp).astype(np.float32)
    codes = np.rint(255 * (1.055 * np.minimum(light, 1) ** (1 / 2.4) - 0.055)).astype(np.uint8)
    return codes, light


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def make(size: tuple[int, int] = (120, 163), *, scale: int = 1, channels: int = 3, **options: object) -> Path:
        codes, light = expanded(*size)
        Image.fromarray(codes).save(tmp_path / "photo.jpg", **{"quality": 96, "subsampling": 0, **options})
        hdr = Hdr(light, photo=read_photo(tmp_path / "photo.jpg"))
        chosen = WriteOptions(gain_map_scale=scale, gain_map_channels=channels)
        write_hdr(hdr, tmp_path / "gain.jpg", options=chosen)
        return tmp_path / "gain.jpg"

    return make


@pytest.mark.parametrize("reader", [by_libultrahdr, by_openimageio])
@pytest.mark.parametrize("channels", [1, 3])
def test_full_size_maps_show_our_own_light(write: Callable[..., Path], reader: Reader, channels: int) -> None:
    path = write(channels=channels)
    ours = as_hdr(read_photo(path)).pixels
    error = np.abs(reader(path) - ours) / ours
    assert np.quantile(error, 0.999) < 0.005
    assert np.median(error) < 0.001


def test_the_default_keeps_measured_pixels_beside_lamps(tmp_path: Path) -> None:
    codes = np.full((64, 64, 3), 120, np.uint8)
    codes[20:44, 21:43] = 255
    Image.fromarray(codes).save(tmp_path / "photo.jpg", quality=98, subsampling=0)
    photo = read_photo(tmp_path / "photo.jpg")
    lamp = (photo.codes.min(axis=-1) > 250)[..., None]
    light = as_hdr(photo).pixels
    write_hdr(Hdr(np.where(lamp, 8 * light, light), photo=photo), tmp_path / "gain.jpg")
    error = np.abs(as_hdr(read_photo(tmp_path / "gain.jpg")).pixels - light) / light
    assert error[~lamp[..., 0]].max() < 0.05


@pytest.mark.parametrize("reader", [by_libultrahdr, by_openimageio])
@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_at_every_size_the_rest_is_that_readers_own(
    write: Callable[..., Path], reader: Reader, scale: int, channels: int, subsampling: int
) -> None:
    path = write((120, 160), scale=scale, channels=channels, subsampling=subsampling)
    found = read_gain_map_jpeg(path.read_bytes())
    assert found is not None
    expected = model_of_libultrahdr(*found, scale, halved=subsampling == 2)
    error = np.abs(reader(path) - expected) / np.maximum(expected, 0.01)
    assert np.quantile(error, 0.999) < 0.001


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_libultrahdr_applies_the_codes_of_the_map(write: Callable[..., Path], channels: int, subsampling: int) -> None:
    path = write((120, 160), channels=channels, subsampling=subsampling)
    base, gain_map = read_gain_map_jpeg(path.read_bytes())
    before = _table_of_srgb(_rgb_in_floats(base, halved=subsampling == 2)) + gain_map.base_offset[0]
    gain = np.log2((by_libultrahdr(path) + gain_map.alternate_offset[0]) / before)
    codes = 255 * (gain - gain_map.minimum[0]) / (gain_map.maximum[0] - gain_map.minimum[0])
    assert np.quantile(np.abs(codes - np.atleast_3d(gain_map.codes)), 0.999) < 1


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_bilinear_reader_shows_our_own_light(
    write: Callable[..., Path], scale: int, channels: int, subsampling: int
) -> None:
    path = write(scale=scale, channels=channels, subsampling=subsampling)
    ours = as_hdr(read_photo(path)).pixels
    error = np.abs(bilinear_reader(path) - ours) / ours
    assert np.quantile(error, 0.999) < 0.005


@pytest.mark.parametrize("scale", [2, 4])
def test_small_maps_agree_where_their_filters_meet(write: Callable[..., Path], scale: int) -> None:
    path = write((120, 160), scale=scale)
    ours, theirs = as_hdr(read_photo(path)).pixels, by_libultrahdr(path)
    codes = read_photo(path).gain_map.codes.astype(int)
    steps = np.abs(np.diff(codes, axis=0, append=codes[-1:])) + np.abs(np.diff(codes, axis=1, append=codes[:, -1:]))
    flat = np.kron(steps.max(axis=-1) == 0, np.ones((scale, scale), bool))
    flat &= np.roll(flat, scale, axis=0) & np.roll(flat, scale, axis=1) & np.roll(flat, (scale, scale), axis=(0, 1))
    assert flat.mean() > 0.05
    assert np.quantile((np.abs(theirs - ours) / ours)[flat], 0.999) < 0.01


def bilinear_reader(path: Path) -> Doubles:
    """Return the light at full headroom by Pillow's two pictures, its bilinear filter and the map's XMP."""
    light = _srgb_to_linear(_rgb_in_floats(path.read_bytes(), halved=False))
    with MpoImageFile(path) as image:
        image.seek(1)
        layers, description = image.split(), ElementTree.fromstring(image.info["xmp"])[0][0]
    names = ("GainMapMin", "GainMapMax", "OffsetSDR", "OffsetHDR")
    low, high, before, after = (float(description.get(ADOBE + name, "")) for name in names)
    size = light.shape[1::-1]
    filled = [np.asarray(layer.convert("F").resize(size, Image.Resampling.BILINEAR)) for layer in layers]
    gain = np.exp2(low + (high - low) * np.stack(filled, axis=-1) / 255)
    return np.maximum((light + before) * gain - after, 0)


def model_of_libultrahdr(base: bytes, gain_map: GainMap, scale: int, *, halved: bool) -> Doubles:
    """Return what libultrahdr 1.4 shows at full headroom, from the description of its steps."""
    linear = _table_of_srgb(_rgb_in_floats(base, halved=halved))
    share = np.rint(_by_inverse_distance(gain_map.codes, scale, linear.shape) * 1023) / 1023
    gain = np.exp2(gain_map.minimum[0] + (gain_map.maximum[0] - gain_map.minimum[0]) * share)
    light = (linear + gain_map.base_offset[0]) * gain - gain_map.alternate_offset[0]
    return np.maximum(light, 0).astype(np.float16).astype(np.float64)


def _rgb_in_floats(base: bytes, *, halved: bool) -> Doubles:
    image = Image.open(BytesIO(base))
    image.draft("YCbCr", None)
    y, cb, cr = np.moveaxis(np.asarray(image, np.float64), -1, 0)
    if halved:  # chroma is repeated; where Pillow interpolates, take it from the planes themselves
        cb, cr = (np.kron(plane, np.ones((2, 2)))[: y.shape[0], : y.shape[1]] for plane in _chroma_planes(base))
    red, blue = y + 1.402 * (cr - 128), y + 1.772 * (cb - 128)
    green = (y - 0.299 * red - 0.114 * blue) / 0.587
    return np.clip(np.stack([red, green, blue], axis=-1) / 255, 0, 1)


def _chroma_planes(base: bytes) -> tuple[Doubles, Doubles]:
    """Return the stored planes of a 4:2:0 picture: at half size, libjpeg only averages luma."""
    image = Image.open(BytesIO(base))
    image.draft("YCbCr", (image.width // 2, image.height // 2))
    planes = np.asarray(image, np.float64)
    return planes[..., 1], planes[..., 2]


def _table_of_srgb(codes: Doubles) -> Doubles:
    return _srgb_to_linear(np.floor(codes * 1023 + 0.5) / 1023)


def _srgb_to_linear(codes: Doubles) -> Doubles:
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def _by_inverse_distance(codes: NDArray[np.uint8], scale: int, shape: tuple[int, ...]) -> Doubles:
    """Weigh the four codes around a pixel by inverse distance, measured from the corner of the first."""
    layers = np.atleast_3d(codes) / 255
    height, width = layers.shape[:2]
    rows, columns = (
        np.minimum(np.arange(shape[0]) // scale, height - 1),
        np.minimum(np.arange(shape[1]) // scale, width - 1),
    )
    down, right = np.minimum(rows + 1, height - 1), np.minimum(columns + 1, width - 1)
    y, x = (np.arange(size) % scale / scale for size in shape[:2])
    total, weights = np.zeros((*shape[:2], layers.shape[2])), np.zeros((*shape[:2], 1))
    for row, dy in ((rows, 0), (down, 1)):
        for column, dx in ((columns, 0), (right, 1)):
            vertical = (y - np.where(rows == down, 0, dy)) ** 2
            horizontal = (x - np.where(columns == right, 0, dx)) ** 2
            weight = 1 / np.maximum(np.sqrt(vertical[:, None] + horizontal[None]), 1e-9)[..., None]
            total += weight * layers[row][:, column]
            weights += weight
    return total / weights
