"""Gain-map JPEGs of whole images: the base untouched, the light as libultrahdr sees it."""

from __future__ import annotations

import dataclasses
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from headroom.colour.gain_map import apply_gain_map
from headroom.colour.icc import profile_for
from headroom.colour.primaries import luminance_weights
from headroom.colour.transfer import decode_codes
from headroom.errors import UsageError
from headroom.image import Encoding, FloatImage, Hdr, Photo
from headroom.io import orientation, read_photo, write_hdr
from headroom.io.convert import convert
from headroom.io.gain_map_jpeg import read_gain_map_jpeg
from headroom.io.options import WriteOptions

FULL_SIZE = WriteOptions(gain_map_scale=1)


def scene() -> NDArray[np.uint8]:
    y, x = np.mgrid[:96, :160]
    return np.stack([60 + x * 1.2, 255 - x, 90 + y * 1.5], axis=-1).clip(0, 255).astype(np.uint8)


def expanded(photo: Photo) -> Hdr:
    """Return the photo's light with its upper third three stops brighter."""
    gain = np.ones((photo.height, photo.width, 1), np.float32)
    gain[: photo.height // 3] = 8
    linear = decode_codes(photo.codes, photo.encoding, photo.bit_depth)
    return Hdr(linear * gain, photo.encoding.primaries, photo=photo, metadata=photo.metadata)


def shown(path: Path) -> FloatImage:
    """Return the upright light of a gain-map JPEG, by its base and its map."""
    found = read_gain_map_jpeg(path.read_bytes())
    assert found is not None
    base = read_photo(path)
    stored = orientation.undo(decode_codes(base.codes, base.encoding, 8), base.orientation)
    return orientation.apply(apply_gain_map(stored, found[1]), base.orientation)


def errors(result: FloatImage, expected: FloatImage) -> NDArray[np.float32]:
    return np.abs(result - expected) / (expected + 0.05)


@pytest.mark.parametrize("turn", range(1, 9))
def test_base_of_a_jpeg_photo_is_its_own_scan(tmp_path: Path, turn: int) -> None:
    block = Image.Exif()
    block[0x0112] = turn
    Image.fromarray(scene()).save(tmp_path / "a.jpg", quality=90, exif=block, icc_profile=profile_for(Encoding("p3")))
    photo = read_photo(tmp_path / "a.jpg")
    hdr = expanded(photo)
    write_hdr(hdr, tmp_path / "b.jpg", options=FULL_SIZE)
    original, written = photo.original, (tmp_path / "b.jpg").read_bytes()
    assert original is not None
    assert original[original.index(b"\xff\xdb") :] in written
    again = read_photo(tmp_path / "b.jpg")
    assert np.array_equal(again.codes, photo.codes)
    assert (again.orientation, again.encoding, again.metadata.exif) == (turn, photo.encoding, photo.metadata.exif)
    assert np.percentile(errors(shown(tmp_path / "b.jpg"), hdr.pixels), 95) < 0.05


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_libultrahdr_sees_the_same_light(tmp_path: Path, scale: int, channels: int) -> None:
    Image.fromarray(scene()).save(tmp_path / "a.jpg", quality=95, subsampling=0)
    hdr = expanded(read_photo(tmp_path / "a.jpg"))
    options = WriteOptions(gain_map_scale=scale, gain_map_channels=channels)
    write_hdr(hdr, tmp_path / "b.jpg", options=options)
    seen = imagecodecs.ultrahdr_decode((tmp_path / "b.jpg").read_bytes(), dtype=np.float16)[..., :3].astype(np.float32)
    luminance = luminance_weights("bt709").astype(np.float32)  # all that one channel can carry
    assert np.percentile(errors(seen @ luminance, hdr.pixels @ luminance), 90) < 0.05


@pytest.mark.parametrize("turn", [1, 6])
def test_a_photo_keeps_the_map_that_it_came_with(tmp_path: Path, turn: int) -> None:
    block = Image.Exif()
    block[0x0112] = turn
    Image.fromarray(scene()).save(tmp_path / "a.jpg", quality=90, exif=block)
    hdr = expanded(read_photo(tmp_path / "a.jpg"))
    write_hdr(hdr, tmp_path / "b.jpg", options=WriteOptions(gain_map_scale=4, gain_map_channels=1))
    convert(tmp_path / "b.jpg", tmp_path / "c.jpg", strip_gps=True)
    (base, before), (again, after) = (read_gain_map_jpeg((tmp_path / name).read_bytes()) for name in ("b.jpg", "c.jpg"))
    assert again[again.index(b"\xff\xdb") :] == base[base.index(b"\xff\xdb") :]
    assert np.abs(after.codes.astype(int) - before.codes).max() <= 3  # of a second compression
    assert dataclasses.replace(after, codes=before.codes) == before
    seen = [
        imagecodecs.ultrahdr_decode((tmp_path / name).read_bytes(), dtype=np.float16) for name in ("b.jpg", "c.jpg")
    ]
    np.testing.assert_allclose(*(each.astype(np.float32) for each in seen), rtol=0.03, atol=1e-3)
    convert(tmp_path / "b.jpg", tmp_path / "d.jpg", exposure_ev=-1)
    assert read_photo(tmp_path / "d.jpg").gain_map.codes.shape == hdr.pixels.shape


@pytest.mark.parametrize("deep", [False, True])
def test_other_photos_are_encoded_well_in_their_own_colours(tmp_path: Path, deep: bool) -> None:
    icc = profile_for(Encoding("p3"))
    codes = scene()
    stream = BytesIO()
    Image.fromarray(codes).save(stream, "TIFF", icc_profile=icc)
    (tmp_path / "a.tif").write_bytes(stream.getvalue())
    photo = read_photo(tmp_path / "a.tif")
    if deep:
        photo = Photo(codes.astype(np.uint16) * 257, 16, photo.encoding, metadata=photo.metadata)
    hdr = expanded(photo)
    write_hdr(hdr, tmp_path / "b.jpg", options=FULL_SIZE)
    base = read_photo(tmp_path / "b.jpg")
    assert base.metadata.icc == icc
    assert np.abs(base.codes.astype(int) - codes).mean() < 1
    assert np.percentile(errors(shown(tmp_path / "b.jpg"), hdr.pixels), 95) < 0.08


def test_colours_without_a_profile_get_one(tmp_path: Path) -> None:
    photo = Photo(scene(), 8, Encoding("adobe-rgb", "adobe-rgb"))
    write_hdr(expanded(photo), tmp_path / "a.jpg")
    assert read_photo(tmp_path / "a.jpg").encoding == photo.encoding


@pytest.mark.parametrize("transfer", ["pq", "hlg", "linear"])
def test_curves_that_no_screen_expects_get_a_rendition(tmp_path: Path, transfer: str) -> None:
    hdr = expanded(Photo(scene().astype(np.uint16) * 257, 16, Encoding("bt2020", transfer)))
    write_hdr(hdr, tmp_path / "a.jpg", options=FULL_SIZE)
    assert read_photo(tmp_path / "a.jpg").encoding == Encoding("p3")  # wide colours stay wide
    assert shown(tmp_path / "a.jpg").max() == pytest.approx(Hdr(hdr.pixels, "bt2020").pixels.max(), rel=0.5)


def test_light_without_a_photo_gets_a_rendition(tmp_path: Path) -> None:
    pixels = decode_codes(scene(), Encoding(), 8) * np.float32(6)
    write_hdr(Hdr(pixels), tmp_path / "a.jpg", options=FULL_SIZE)
    assert np.percentile(errors(shown(tmp_path / "a.jpg"), pixels), 95) < 0.08


def test_photo_of_another_size_is_refused(tmp_path: Path) -> None:
    photo = Photo(scene(), 8)
    with pytest.raises(UsageError, match="160 x 96"):
        write_hdr(Hdr(np.zeros((10, 10, 3), np.float32), photo=photo), tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())
