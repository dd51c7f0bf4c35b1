from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from headroom.data.splits import split_of

LISTS = tomllib.loads(files("headroom.data.splits").joinpath("panoramas.toml").read_text())


def test_no_panorama_is_in_two_splits() -> None:
    assert LISTS.keys() == {"train", "val"}
    assert not LISTS["train"].keys() & LISTS["val"].keys()
    assert (len(LISTS["train"]), len(LISTS["val"])) == (44, 8)


def test_no_source_is_listed_twice_and_all_are_free() -> None:
    entries = [entry for split in LISTS.values() for entry in split.values()]
    assert len({entry["source"] for entry in entries}) == len(entries)
    assert {entry["licence"] for entry in entries} == {"CC0"}


@pytest.mark.parametrize("split", ["train", "val"])
def test_every_name_finds_its_split(split: str) -> None:
    for name in LISTS[split]:
        assert split_of(name) == split_of(f"{name}.hdr") == split_of(f"some/where/{name}_4k.exr") == split


@pytest.mark.parametrize("name", ["", "vestibule_2", "my_garden.hdr", "cave_wall_1k_copy.hdr"])
def test_other_names_belong_to_no_split(name: str) -> None:
    assert split_of(name) is None
