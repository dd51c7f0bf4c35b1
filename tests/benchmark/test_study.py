"""Blind pairs, and the page that shows them."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.item import Item
from headroom.benchmark.study import Trial, common_names, draw_trials, study_pictures
from headroom.benchmark.study_page import to_study_page
from headroom.errors import UsageError
from headroom.image import Hdr
from headroom.io import write_hdr

NAMES = [f"{number:02}" for number in range(30)]


def test_every_pair_of_methods_is_asked_of_every_image_that_is_shown() -> None:
    trials = draw_trials(NAMES, ["a", "b", "c"], images=10, seed=0)
    asked = Counter((trial.image, frozenset((trial.left, trial.right))) for trial in trials)
    assert len(asked) == len(trials) == 10 * 3
    assert all(len(pair) == 2 for _, pair in asked)
    assert len({trial.image for trial in trials}) == 10


def test_sides_and_order_are_drawn_by_the_seed() -> None:
    one, again, other = (draw_trials(NAMES, ["a", "b"], images=30, seed=seed) for seed in (1, 1, 2))
    assert one == again != other
    assert draw_trials(NAMES[::-1], ["a", "b"], images=30, seed=1) == one
    assert 5 < sum(trial.left == "a" for trial in one) < 25
    assert [trial.image for trial in one] != sorted(trial.image for trial in one)


def write(folder: Path, name: str, light: np.ndarray) -> None:
    folder.mkdir(exist_ok=True)
    write_hdr(Hdr(light.astype(np.float32)), folder / f"{name}.pfm")


@pytest.fixture
def item(pairs: Path) -> Item:
    return next(item for item in open_dataset(f"pairs:{pairs}") if item.name == "day")


@pytest.fixture
def folders(item: Item, tmp_path: Path) -> dict[str, Path]:
    """Return the truth in two scales, one of them twice as large."""
    light = item.truth().pixels
    write(tmp_path / "one", "day", light)
    write(tmp_path / "other", "day", 9 * light.repeat(2, 0).repeat(2, 1))
    write(tmp_path / "other", "night", light)
    return {"one": tmp_path / "one", "other": tmp_path / "other"}


def test_images_are_those_that_all_have(folders: dict[str, Path], tmp_path: Path) -> None:
    assert common_names(folders) == ["day"]
    write(tmp_path / "third", "noon", np.ones((4, 4, 3)))
    with pytest.raises(UsageError, match="no image in common"):
        common_names({**folders, "third": tmp_path / "third"})
    with pytest.raises(UsageError, match="two or more"):
        common_names({"one": folders["one"]})


def test_brightness_and_size_give_nobody_away(folders: dict[str, Path], item: Item) -> None:
    pictures = dict(study_pictures([Trial("day", "one", "other")], folders, {"day": item}))
    assert list(pictures) == [("day", ""), ("day", "one"), ("day", "other")]
    photo, one, other = (np.asarray(Image.open(BytesIO(jpeg)), float) for jpeg in pictures.values())
    np.testing.assert_allclose(one, other, atol=3)
    unclipped = photo.max(-1) < 200
    np.testing.assert_allclose(one[unclipped], photo[unclipped], atol=6)


def test_the_page_stands_alone_and_shows_no_name(folders: dict[str, Path]) -> None:
    trials = [Trial("day", "one", "other")]
    pictures = dict(study_pictures(trials, folders, {}))
    page = to_study_page(trials, pictures)
    (data,) = re.findall(r'<script type="application/json" id="study">(.*?)</script>', page, re.DOTALL)
    study = json.loads(data)
    (asked,) = study["trials"]
    assert (asked["image"], asked["left"], asked["right"]) == ("day", "one", "other")
    assert asked["shown"]["input"] is None
    for side in ("left", "right"):
        jpeg = base64.b64decode(study["pictures"][asked["shown"][side]].removeprefix("data:image/jpeg;base64,"))
        assert jpeg == pictures["day", asked[side]]
    rest = page.replace(data, "")
    assert not re.search(r"https?:|\bone\b|\bother\b", rest)
    assert "<noscript>" in rest
    assert all("alt=" in image for image in re.findall("<img[^>]*>", rest))


def test_other_studies_have_another_id(folders: dict[str, Path]) -> None:
    trials = [Trial("day", "one", "other")]
    pictures = dict(study_pictures(trials, folders, {}))
    pages = [
        to_study_page(trials, pictures),
        to_study_page([Trial("day", "other", "one")], pictures),
        to_study_page(trials, {**pictures, ("day", "one"): b"another"}),
    ]
    assert len({re.search(r'"id": "(\w+)"', page).group(1) for page in pages}) == 3
    assert to_study_page(trials, pictures) == pages[0]


def test_a_name_ends_no_element() -> None:
    trials = [Trial("x</script><b>", "a", "b")]
    page = to_study_page(trials, {("x</script><b>", "a"): b"", ("x</script><b>", "b"): b""})
    assert page.count("</script>") == 2
    assert "<b>" not in page
