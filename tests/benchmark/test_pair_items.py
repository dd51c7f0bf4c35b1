"""Data set `pairs:FOLDER`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headroom.benchmark.datasets import open_dataset
from headroom.errors import DataError, HeadroomError, UsageError
from headroom.image import Hdr
from headroom.io import read_photo, write_hdr


def test_items_are_photos_with_the_scene_of_the_same_stem(pairs: Path) -> None:
    (pairs / ".night.part.jpg").touch()  # what an interrupted copy leaves behind
    (pairs / "notes.txt").touch()
    items = open_dataset(f"pairs:{pairs}")
    assert [item.name for item in items] == ["day", "night"]
    np.testing.assert_array_equal(items[1].photo().codes, read_photo(pairs / "night.jpg").codes)
    assert items[1].truth().source == pairs / "night.exr"


@pytest.mark.parametrize("suffix", [".hdr", ".pfm", ".tiff", ".tif"])
def test_every_hdr_container_is_found_and_exr_comes_first(pairs: Path, suffix: str) -> None:
    item = open_dataset(f"pairs:{pairs}")[0]
    write_hdr(item.truth(), pairs / f"day{suffix}")
    assert item.truth().source == pairs / "day.exr"
    (pairs / "day.exr").unlink()
    assert item.truth().source == pairs / f"day{suffix}"


def test_a_photo_without_a_scene_can_be_expanded_but_not_scored(pairs: Path) -> None:
    (pairs / "day.exr").unlink()
    item = open_dataset(f"pairs:{pairs}")[0]
    assert item.photo().height == 32
    with pytest.raises(DataError, match="day: no HDR image of this name"):
        item.truth()


def test_two_photos_of_one_stem_are_refused(pairs: Path) -> None:
    (pairs / "day.jpg").write_bytes((pairs / "night.jpg").read_bytes())
    with pytest.raises(DataError, match="another photo has the same stem"):
        open_dataset(f"pairs:{pairs}")


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    write_hdr(Hdr(np.ones((4, 4, 3), np.float32)), tmp_path / "scene.exr")
    with pytest.raises(DataError, match="holds no photo"):
        open_dataset(f"pairs:{tmp_path}")


@pytest.mark.parametrize(
    ("text", "kind"),
    [("pairs", UsageError), ("pairs:", UsageError), ("kodak:x", UsageError), ("pairs:none", DataError)],
)
def test_words_that_name_no_data_set(text: str, kind: type[HeadroomError]) -> None:
    with pytest.raises(kind, match=r"folder|FOLDER"):
        open_dataset(text)
