"""Pictures side by side."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headroom.benchmark.comparison import Comparison, compare
from headroom.benchmark.datasets import look_of, open_dataset
from headroom.benchmark.item import Item
from headroom.benchmark.showing import LEVELLED, gain_between
from headroom.image import Hdr
from headroom.io import read_hdr, write_hdr


def pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(jpeg)), np.float64)


def write(folder: Path, light: np.ndarray) -> Path:
    folder.mkdir()
    write_hdr(Hdr(light.astype(np.float32)), folder / "day.pfm")
    return folder


@pytest.fixture
def item(pairs: Path) -> Item:
    return next(item for item in open_dataset(f"pairs:{pairs}") if item.name == "day")


@pytest.fixture
def shown(pairs: Path, item: Item, tmp_path: Path) -> Comparison:
    """Return a photo, its truth, the truth of seven times the light, and a folder without a result."""
    folders = {"brighter": write(tmp_path / "brighter", 7 * read_hdr(pairs / "day.exr").pixels), "none": tmp_path}
    return compare("day", item, folders)


def test_everything_is_in_the_brightness_of_the_photo(shown: Comparison) -> None:
    photo, truth, brighter, _ = (tile.picture for tile in shown.tiles)
    np.testing.assert_allclose(pixels(truth), pixels(brighter), atol=2)
    unclipped = pixels(photo).max(-1) < 200
    assert unclipped.mean() > 0.3
    np.testing.assert_allclose(pixels(truth)[unclipped], pixels(photo)[unclipped], atol=6)


def test_what_cannot_be_shown_says_why(shown: Comparison) -> None:
    assert [tile.label for tile in shown.tiles] == ["input", "truth", "brighter", "none"]
    assert "no result of this name" in shown.tiles[-1].error
    assert not shown.tiles[-1].picture


def test_crops_are_where_results_differ(pairs: Path, item: Item, tmp_path: Path) -> None:
    """Of a big image: the crop of the result holds what was changed, at full size."""
    light = np.full((400, 600, 3), 0.2)
    light[100:120, 500:520] = 3
    folders = {"flat": write(tmp_path / "flat", np.full_like(light, 0.2)), "lamp": write(tmp_path / "lamp", light)}
    comparison = compare("day", None, folders)
    flat, lamp = (pixels(tile.crop) for tile in comparison.tiles)
    assert lamp.shape == (100, 100, 3)
    assert np.ptp(flat) < 4
    bright = lamp.min(-1) > lamp.min() + 60
    assert bright.sum() == pytest.approx(400, abs=60)
    assert comparison.crop_ev < 0


def test_pictures_of_other_tools_are_shown_as_they_are(item: Item, tmp_path: Path) -> None:
    Image.new("RGB", (48, 32), (90, 120, 150)).save(tmp_path / "day.png")
    tile = compare("day", item, {"tool": tmp_path}).tiles[-1]
    mean = pixels(tile.picture).mean((0, 1))
    assert mean[0] < mean[1] < mean[2]


def test_brackets_are_shown_too(tmp_path: Path) -> None:
    scene = open_dataset("tiny:brackets")[0]
    comparison = compare(scene.name, scene, {"none": tmp_path})
    assert [tile.label for tile in comparison.tiles] == ["input", "truth", "none"]
    assert all(tile.picture for tile in comparison.tiles[:2])


def test_gain_is_measured_in_midtones() -> None:
    light = np.geomspace(0.001, 100, 3000).reshape(10, 100, 3)
    assert gain_between(light / 5, np.minimum(light, 1)) == pytest.approx(5, rel=1e-6)
    assert gain_between(np.zeros((2, 2, 3)), np.ones((2, 2, 3))) == 1


def test_enhanced_photos_are_shown_as_they_are(tmp_path: Path) -> None:
    """Their brightness is what was changed, so nothing brings it to that of the photo."""
    item = open_dataset("tiny:exposure-errors")[1]
    bright = np.minimum(item.photo().codes * 3.0, 255).astype(np.uint8)
    Image.fromarray(bright).save(tmp_path / f"{item.name}.png")
    look = look_of("tiny:exposure-errors")
    tiles = {tile.label: tile for tile in compare(item.name, item, {"tool": tmp_path}, look=look).tiles}
    for label, codes in (("input", item.photo().codes), ("truth", item.truth().codes), ("tool", bright)):
        assert pixels(tiles[label].picture).mean() == pytest.approx(codes.mean(), abs=1.5)
    assert look_of("enhance-pairs:nowhere") is look
    assert look_of("kalantari:x") is look_of("words of another version") is LEVELLED
