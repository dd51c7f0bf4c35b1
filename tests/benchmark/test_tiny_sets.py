"""Data sets that are made on the spot."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.item import Item
from headroom.data.bracket_sets.scene import BracketScene
from headroom.data.painted import painted_panoramas


@pytest.fixture(scope="module")
def photos() -> list[Item]:
    return open_dataset("tiny:photos")


@pytest.fixture(scope="module")
def brackets() -> list[BracketScene]:
    return open_dataset("tiny:brackets")


def test_photos_clip_what_their_scenes_hold(photos: list[Item]) -> None:
    assert len({photo.name for photo in photos}) == len(photos) == 4
    for item in photos:
        codes, scene = item.photo().codes, item.truth().pixels
        assert codes.shape == scene.shape == (256, 256, 3)
        clipped = (codes >= 250).any(-1)
        assert 0.02 < clipped.mean() < 0.3
        assert scene[clipped].max() > 2
        assert np.isfinite(scene).all()


def test_photos_and_brackets_never_change(photos: list[Item], brackets: list[BracketScene]) -> None:
    means = [item.photo().codes.mean() for item in photos]
    assert means == pytest.approx([109.891, 186.141, 142.600, 185.735], abs=0.05)
    means = [scene.truth().mean() for scene in brackets]
    assert means == pytest.approx([0.06004, 0.046355], abs=1e-4)


def test_frames_show_the_truth_where_nothing_moves(brackets: list[BracketScene]) -> None:
    assert [scene.name for scene in brackets] == ["bracket_00", "bracket_01"]
    for scene in brackets:
        bracket, truth, mask = scene.bracket(), scene.truth(), scene.mask()
        assert bracket.exposures_ev == scene.exposures_ev == (-2, 0, 2)
        assert mask is not None
        assert 0.02 < mask.mean() < 0.6
        light = (bracket.frames[1].codes / 65535) ** 2.2 / scene.reference_exposure()
        assert np.abs(light - truth)[~mask].mean() < 0.004


def test_panoramas_meet_themselves_and_hold_more_than_a_photo() -> None:
    for name, light in painted_panoramas().items():
        assert light.shape == (3, 256, 512), name
        assert light.min() > 0
        assert 5 < torch.log2(light.max() / light.median()) < 20
        inner = (light[..., 1:] - light[..., :-1]).abs().mean()
        assert (light[..., 0] - light[..., -1]).abs().mean() < 3 * inner
    again, other = painted_panoramas(), painted_panoramas(seed=1)
    assert torch.equal(painted_panoramas()["painted_night"], again["painted_night"])
    assert not torch.equal(other["painted_night"], again["painted_night"])
