"""Data sets of photos to enhance: what is in them, and how they lie in folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.item import EnhanceItem, verb_of
from headroom.benchmark.split import split_sha256
from headroom.colour.exposure import key_gain
from headroom.colour.transfer import decode
from headroom.data.enhancement_validation import exposure_errors
from headroom.errors import DataError
from headroom.image import Hdr
from headroom.io import write_hdr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two small panoramas of the val split, with a sun."""
    folder = tmp_path_factory.mktemp("panoramas")
    generator = np.random.default_rng(3)
    for name in ("vestibule", "blocky_photo_studio"):
        pixels = np.exp(generator.normal(size=(32, 64, 3)).repeat(2, 0).repeat(2, 1)).astype(np.float32)
        pixels[10:12, 40:42] = 3e4
        write_hdr(Hdr(pixels), folder / f"{name}.exr")
    return folder


@pytest.fixture(scope="module")
def tiny() -> list[EnhanceItem]:
    return open_dataset("tiny:exposure-errors")


def picture(path: Path, code: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 8), (code, code, code)).save(path)


def red(items: list[EnhanceItem]) -> dict[str, tuple[int, int]]:
    """Give the red of the photo and of the truth of each item."""
    return {item.name: (item.photo().codes[4, 4, 0], item.truth().codes[4, 4, 0]) for item in items}


def test_the_44_photos_are_those_of_training(folder: Path) -> None:
    items = open_dataset(f"exposure-errors:{folder}")
    assert len({item.name for item in items}) == len(items) == 44
    assert {verb_of(item) for item in items} == {"enhance"}
    example = exposure_errors(folder).example(3, 256)
    photo, truth = items[3].photo().codes, items[3].truth().codes
    assert photo.dtype == truth.dtype == np.uint8
    np.testing.assert_allclose(photo / 255, example.encoded[0].permute(1, 2, 0).numpy(), atol=1e-6)
    np.testing.assert_allclose(truth / 255, example.truth[0].permute(1, 2, 0).numpy(), atol=0.5 / 255 + 1e-6)


def test_the_split_does_not_hang_on_where_it_lies(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    words = (f"exposure-errors:{folder}", f"exposure-errors:{tmp_path}")
    assert split_sha256(open_dataset(words[0])) == split_sha256(open_dataset(words[1]))


def test_painted_truths_are_well_exposed_and_their_photos_are_not(tiny: list[EnhanceItem]) -> None:
    for item in tiny:
        photo, truth = item.photo().codes, item.truth().codes
        assert photo.shape == truth.shape == (256, 256, 3)
        # The gentle tone curve takes little from the log average, which is at the key before it.
        assert key_gain(decode(truth / 255, "srgb")) == pytest.approx(1, abs=0.35)
        assert abs(np.log2(key_gain(decode(photo / 255, "srgb")))) > 0.3


def test_painted_photos_never_change(tiny: list[EnhanceItem]) -> None:
    means = [(item.photo().codes.mean(), item.truth().codes.mean()) for item in tiny]
    expected = [(155.871, 113.013), (62.181, 118.339), (193.36, 121.067), (166.655, 111.839)]
    assert means == [pytest.approx(pair, abs=0.05) for pair in expected]


def test_own_photos_lie_beside_what_they_should_be(tmp_path: Path) -> None:
    for name, code in (("day.png", 40), ("night.jpg", 200)):
        picture(tmp_path / "input" / name, code)
        picture(tmp_path / "gt" / f"{Path(name).stem}.png", 120)
    (tmp_path / "input" / "notes.txt").touch()
    (tmp_path / "input" / ".day.part.png").touch()
    assert red(open_dataset(f"enhance-pairs:{tmp_path}")) == {"day": (40, 120), "night": (200, 120)}


def test_msec_has_a_truth_for_five_renditions(tmp_path: Path) -> None:
    for number, ending in enumerate(("N1.5", "N1", "0", "P1", "P1.5")):
        picture(tmp_path / "INPUT_IMAGES" / f"a0001-jmac_DSC1459_{ending}.JPG", 40 * number)
    picture(tmp_path / "GT_IMAGES" / "a0001-jmac_DSC1459.jpg", 120)
    found = red(open_dataset(f"msec:{tmp_path}"))
    assert len(found) == 5
    assert found["a0001-jmac_DSC1459_P1.5"] == (160, 120)
    picture(tmp_path / "expert_c_testing_set" / "a0001-jmac_DSC1459.jpg", 130)
    assert red(open_dataset(f"msec:{tmp_path}"))["a0001-jmac_DSC1459_N1"] == (40, 130)


def test_lcdp_and_sice(tmp_path: Path) -> None:
    picture(tmp_path / "test-input" / "a1273-IMG_1444.png", 20)
    picture(tmp_path / "test-gt" / "a1273-IMG_1444.png", 110)
    assert red(open_dataset(f"lcdp:{tmp_path}")) == {"a1273-IMG_1444": (20, 110)}
    for scene, frame in ((1, 1), (1, 2), (12, 1)):
        picture(tmp_path / "sice" / str(scene) / f"{frame}.JPG", 30 * frame)
        picture(tmp_path / "sice" / "Label" / f"{scene}.JPG", 100 + scene)
    found = red(open_dataset(f"sice:{tmp_path / 'sice'}"))
    assert found == {"1-1": (30, 101), "1-2": (60, 101), "12-1": (30, 112)}


@pytest.mark.parametrize("words", ["enhance-pairs", "msec", "lcdp", "sice"])
def test_a_folder_of_something_else_is_named(words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no photo"):
        open_dataset(f"{words}:{tmp_path}")


def test_what_lacks_its_truth_or_is_there_twice_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "input" / "day.png", 40)
    with pytest.raises(DataError, match=r"input/day\.png: has no truth"):
        open_dataset(f"enhance-pairs:{tmp_path}")
    picture(tmp_path / "input" / "day.jpg", 40)
    with pytest.raises(DataError, match="another picture has the same stem"):
        open_dataset(f"enhance-pairs:{tmp_path}")
