"""Data set `synth:FOLDER`, once `panoramas:FOLDER`: the very photos that training validates on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from headroom import methods
from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.item import Item
from headroom.benchmark.split import split_sha256
from headroom.errors import DataError
from headroom.image import Hdr
from headroom.io import write_hdr
from headroom.methods.contract import ExpandBatch
from headroom.restore.clipping import blocks_with, clipped_codes, grown, of_blocks
from headroom.training.recipe import read_recipe
from headroom.training.tasks import make_task


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return small panoramas, one of the train split and two of the val split, with a sun."""
    folder = tmp_path_factory.mktemp("panoramas")
    generator = np.random.default_rng(3)
    for name in ("cave_wall", "vestibule", "blocky_photo_studio"):
        pixels = np.exp(generator.normal(size=(32, 64, 3)).repeat(2, 0).repeat(2, 1)).astype(np.float32)
        pixels[10:12, 40:42] = 3e4
        write_hdr(Hdr(pixels), folder / f"{name}.exr")
    return folder


@pytest.fixture(scope="module")
def items(folder: Path) -> list[Item]:
    return open_dataset(f"panoramas:{folder}")


@pytest.fixture(scope="module")
def validation(folder: Path) -> list[ExpandBatch]:
    """Return the first two batches that training validates on."""
    recipe = read_recipe(Path(methods.__file__).parent / "hybrid_ae" / "recipe.toml", {"data.validation_photos": 16})
    return make_task(recipe, folder)._validation


def pictures(items: list[Item], validation: list[ExpandBatch]) -> Iterator[tuple[Item, ExpandBatch]]:
    for number in (0, 3, 7, 8):
        batch, index = validation[number // 8], number % 8
        yield items[number], ExpandBatch(*(tensor[index : index + 1] for tensor in batch))


def test_there_are_96_with_names_of_their_own(items: list[Item]) -> None:
    assert len({item.name for item in items}) == len(items) == 96


def test_any_folder_of_panoramas_makes_photos(folder: Path, tmp_path: Path) -> None:
    """Panoramas in no list serve where none is of the val split; those that were trained on never do."""
    (tmp_path / "own.exr").write_bytes((folder / "vestibule.exr").read_bytes())
    (tmp_path / "cave_wall.exr").write_bytes(b"is never opened")
    items = open_dataset(f"synth:{tmp_path}")
    assert len(items) == 96
    assert items[0].files == (tmp_path / "own.exr",)
    assert items[0].photo().codes.shape == (384, 384, 3)
    (tmp_path / "own.exr").unlink()
    with pytest.raises(DataError, match="val split"):
        open_dataset(f"synth:{tmp_path}")


def test_an_older_name_stays(folder: Path, items: list[Item]) -> None:
    assert split_sha256(open_dataset(f"synth:{folder}")) == split_sha256(items)


def test_five_draws_begin_with_the_first_and_differ(folder: Path, items: list[Item]) -> None:
    of_all = open_dataset(f"synth-5:{folder}")
    assert len({item.name for item in of_all}) == len(of_all) == 480
    assert [item.name for item in of_all[:96]] == [item.name for item in items]
    np.testing.assert_array_equal(of_all[3].photo().codes, items[3].photo().codes)
    means = [of_all[3 + 96 * draw].photo().codes.mean() for draw in range(5)]
    assert means == pytest.approx([110.383, 105.402, 54.097, 127.911, 142.008], abs=0.05)


def test_the_photos_never_change(items: list[Item]) -> None:
    """Scores of different versions are compared: another camera or another draw needs another data set."""
    means = [items[number].photo().codes.mean() for number in (0, 3, 7, 8, 23)]
    assert means == pytest.approx([152.849, 110.383, 150.756, 99.186, 154.327], abs=0.05)


def test_photos_and_truths_are_those_of_training(items: list[Item], validation: list[ExpandBatch]) -> None:
    for item, example in pictures(items, validation):
        codes, truth = item.photo().codes, item.truth().pixels
        assert codes.dtype == np.uint8
        np.testing.assert_array_equal(codes / np.float32(255), example.encoded[0].permute(1, 2, 0).numpy())
        np.testing.assert_array_equal(truth, example.truth[0].permute(1, 2, 0).numpy())


def test_what_is_clipped_near_top_codes_is_what_training_calls_clipped(
    items: list[Item], validation: list[ExpandBatch]
) -> None:
    for item, example in pictures(items, validation):
        photo = item.photo()
        assert not photo.encoding.known
        near_top = of_blocks(grown(blocks_with(photo.codes == 255)), photo.codes.shape)
        trained = example.clipped[0].permute(1, 2, 0).numpy() > 0
        np.testing.assert_array_equal(clipped_codes(photo) & near_top, trained)
