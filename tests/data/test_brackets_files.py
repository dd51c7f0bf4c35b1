"""Brackets as files: what they promise to whoever merges and scores them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from headroom.data.bracket_sets.layouts import OWN, find_scenes
from headroom.data.brackets_files import BracketFileSettings, make_examples, write_validation
from headroom.errors import DataError, UsageError
from headroom.image import Hdr
from headroom.io import write_hdr

USUAL = BracketFileSettings()
SMALL = replace(
    USUAL,
    frame_px=(64, 96),
    turn_degrees=(3.0, 3.0, 1.0),
    scene=replace(
        USUAL.scene, focal_px=(45.0, 70.0), motion=replace(USUAL.scene.motion, size_px=(16.0, 32.0), step_px=8.0)
    ),
)
"""An eighth of the usual size."""


@pytest.fixture
def panoramas(tmp_path: Path) -> Path:
    """Return a folder with a panorama of the val split and one of the train split."""
    folder = tmp_path / "panoramas"
    folder.mkdir()
    generator = np.random.default_rng(1)
    for name in ("vestibule", "cave_wall"):
        coarse = (generator.random((16, 32, 3)) ** 4 * 20 + 0.02).astype(np.float32)
        write_hdr(Hdr(cv2.resize(coarse, (128, 64))), folder / f"{name}.exr")
    return folder


def loaded(panoramas: Path) -> dict[str, torch.Tensor]:
    light = cv2.imread(str(panoramas / "vestibule.exr"), cv2.IMREAD_UNCHANGED)
    if light is None:  # OpenCV may be built without OpenEXR
        light = np.random.default_rng(2).random((64, 128, 3)).astype(np.float32)
    return {"vestibule": torch.from_numpy(light.transpose(2, 0, 1).copy())}


def test_a_folder_holds_what_the_reader_of_brackets_expects(panoramas: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    written = list(write_validation(panoramas, out, count=2, seed=3, settings=SMALL))
    scenes = find_scenes(out, OWN)
    assert [out / scene.name for scene in scenes] == written
    for scene in scenes:
        bracket, truth, mask = scene.bracket(), scene.truth(), scene.mask()
        assert [photo.codes.shape for photo in bracket.frames] == [(64, 96, 3)] * 3
        assert bracket.exposures_ev in {(-2, 0, 2), (-3, 0, 3)}
        assert truth.shape == (64, 96, 3)
        assert truth.max() <= 1
        assert mask is not None
        assert 0 < mask.mean() < 1
        # Away from what moved or clipped, the reference shows the truth and its noise.
        light = bracket.frames[1].codes.astype(np.float64) ** 2.2 / scene.reference_exposure()
        assert np.abs(light - truth)[~mask].mean() < 0.004


def test_the_files_say_their_curve(panoramas: Path, tmp_path: Path) -> None:
    from headroom.io import read_photo

    (folder,) = write_validation(panoramas, tmp_path / "out", count=1, settings=SMALL)
    assert read_photo(folder / "frame_1.tif").encoding.transfer == "gamma22"


def test_brackets_depend_on_the_seed_alone(panoramas: Path) -> None:
    one, again, other = (next(make_examples(loaded(panoramas), 1, seed, SMALL)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.frames, again.frames)
    np.testing.assert_array_equal(one.truth, again.truth)
    assert not np.array_equal(one.truth, other.truth)


def test_frames_show_the_scene_turned(panoramas: Path) -> None:
    # Without objects and noise only the camera moves, so the mask holds what is clipped and its rim, nothing else.
    scene = replace(SMALL.scene, objects=(0, 0), lamp_chance=0, detail=0.0)
    camera = replace(SMALL.camera, noise_share=(0.0, 0.0))
    example = next(make_examples(loaded(panoramas), 1, 0, replace(SMALL, scene=scene, camera=camera)))
    grey = [(codes.astype(np.float32) ** 2.2).mean(axis=2) for codes in example.frames]
    (x, y), _ = cv2.phaseCorrelate(grey[0], grey[1])
    assert 0.5 < np.hypot(x, y) < 40
    clipped = (example.frames[1] == 65535).any(axis=2)
    rim = cv2.dilate(clipped.astype(np.uint8), np.ones((9, 9))) > 0
    assert (example.mask == rim).mean() > 0.999  # light just below the clip level is rounded to the top code


def test_a_folder_in_use_is_left_alone(panoramas: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not empty"):
        next(write_validation(panoramas, panoramas, count=1))
    assert {path.name for path in panoramas.iterdir()} == {"vestibule.exr", "cave_wall.exr"}


def test_only_panoramas_of_the_val_split_are_used(panoramas: Path, tmp_path: Path) -> None:
    (panoramas / "vestibule.exr").unlink()
    with pytest.raises(DataError, match="val split"):
        next(write_validation(panoramas, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
