from __future__ import annotations

import numpy as np
import pytest
from hand_held import look, over, record, seen_at, turned, waves
from numpy.typing import NDArray

from headroom.restore.align import Aligned, align
from headroom.restore.camera_motion import estimate_camera_motion
from headroom.restore.guide import guide_pair, reduce_to_cells, working_cell
from headroom.restore.homography import at_full_size

HEIGHT, WIDTH = 240, 360
REFERENCE_EXPOSURE = 0.5


def end_point_error(found: NDArray[np.float64], true: NDArray[np.float64], height: int, width: int) -> float:
    """Mean distance, over the pixels that both frames show."""
    y, x = np.mgrid[0:height:8, 0:width:8].astype(np.float64)
    there = seen_at(true, x, y)
    shown = (there[0] >= 0) & (there[0] < width) & (there[1] >= 0) & (there[1] < height)
    miss = np.hypot(*(a - b for a, b in zip(seen_at(found, x, y), there, strict=True)))
    return float(miss[shown].mean())


def bracket(
    ev: float, degrees: tuple[float, float, float], seed: int = 1
) -> tuple[list[NDArray[np.float32]], NDArray[np.float64]]:
    """A frame of `ev` after the camera turned, its reference, and where the frame shows the reference's pixels."""
    scene, motion = waves(seed), turned(HEIGHT, WIDTH, degrees)
    ours = record(look(scene, HEIGHT, WIDTH), REFERENCE_EXPOSURE, seed)
    theirs = record(look(scene, HEIGHT, WIDTH, np.linalg.inv(motion)), REFERENCE_EXPOSURE * 2.0**ev, seed + 100)
    return [theirs, ours], motion


def align_to_last(frames: list[NDArray[np.float32]], ev: float) -> Aligned:
    return align(frames, (2.0**ev, 1.0), 1)


@pytest.mark.parametrize("ev", [-3, -2, 2, 3])
@pytest.mark.parametrize("degrees", [(0.5, -0.3, 0.2), (2, 1, -1.5), (-3, 2, 3)])
def test_the_camera_motion_is_found_to_a_fraction_of_a_pixel(ev: int, degrees: tuple[float, float, float]) -> None:
    frames, true = bracket(ev, degrees)
    found = estimate_camera_motion(*guide_pair(*frames, 2.0**ev))
    assert end_point_error(np.eye(3), true, HEIGHT, WIDTH) > 2
    assert end_point_error(found, true, HEIGHT, WIDTH) < 0.15


@pytest.mark.parametrize("ev", [-2, 2])
def test_aligned_frames_are_what_a_still_camera_records(ev: int) -> None:
    frames, _ = bracket(ev, (2, 1, -1.5))
    aligned = align_to_last(frames, ev)
    still = np.clip(look(waves(1), HEIGHT, WIDTH) * REFERENCE_EXPOSURE * 2.0**ev, 0, 1)
    error = np.abs(aligned.linear[0] - still)[aligned.valid[0]].mean()
    assert error < 0.1 * np.abs(frames[0] - still).mean()
    assert aligned.helped == (True, False)
    assert aligned.rejected == {}
    assert aligned.linear[1] is frames[1]


@pytest.mark.parametrize("ev", [-2, 2])
def test_where_a_frame_shows_nothing_it_holds_the_light_of_the_reference(ev: int) -> None:
    frames, true = bracket(ev, (-3, 2, 3))
    aligned = align_to_last(frames, ev)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    there = seen_at(true, x, y)
    shown = (there[0] >= 0) & (there[0] <= WIDTH - 1) & (there[1] >= 0) & (there[1] <= HEIGHT - 1)
    assert 0.02 < (~shown).mean() < 0.4
    assert (aligned.valid[0] != shown).mean() < 0.003
    np.testing.assert_allclose(
        aligned.linear[0][~aligned.valid[0]], np.minimum(frames[1] * 2.0**ev, 1)[~aligned.valid[0]], rtol=1e-6
    )


def test_equal_frames_are_left_alone() -> None:
    frame = record(look(waves(2), HEIGHT, WIDTH), REFERENCE_EXPOSURE, 2)
    others = [frame.copy(), frame.copy()]
    aligned = align([others[0], frame, others[1]], (1, 1, 1), 1)
    assert aligned.linear[0] is others[0]
    assert aligned.linear[2] is others[1]
    assert aligned.helped == (False, False, False)
    assert all(valid.all() for valid in aligned.valid)


@pytest.mark.parametrize("ev", [-3, 2])
def test_frames_from_a_tripod_hardly_change(ev: int) -> None:
    frames, _ = bracket(ev, (0, 0, 0))
    aligned = align_to_last(frames, ev)
    assert aligned.valid[0].all()
    assert (aligned.linear[0] != frames[0]).any(axis=-1).mean() < 0.02


def test_every_frame_is_aligned_by_itself() -> None:
    scene = waves(3)
    views = [None, turned(HEIGHT, WIDTH, (1, 0, 1)), turned(HEIGHT, WIDTH, (-1, 1, 0))]
    frames = [record(look(scene, HEIGHT, WIDTH, view), 0.2 * 4**i, i) for i, view in enumerate(views)]
    one_way = align(frames, (1, 4, 16), 1)
    other_way = align(frames[::-1], (16, 4, 1), 1)
    for index in range(3):
        np.testing.assert_array_equal(one_way.linear[index], other_way.linear[2 - index])
        np.testing.assert_array_equal(one_way.valid[index], other_way.valid[2 - index])


@pytest.mark.parametrize("error_ev", [-0.3, 0.1, 0.3])
def test_exposures_need_not_be_exact(error_ev: float) -> None:
    frames, _ = bracket(-2, (2, 1, -1.5))
    aligned = align_to_last(frames, -2 + error_ev)
    still = np.clip(look(waves(1), HEIGHT, WIDTH) * REFERENCE_EXPOSURE / 4, 0, 1)
    assert aligned.rejected == {}
    assert np.abs(aligned.linear[0] - still)[aligned.valid[0]].mean() < 0.1 * np.abs(frames[0] - still).mean()


def test_large_photos_are_aligned_by_their_reductions() -> None:
    height, width = 1024, 1472
    scene, motion = waves(4, shortest_px=20, longest_px=300, count=8), turned(1024, 1472, (1, -1, 1))
    theirs = record(look(scene, height, width, np.linalg.inv(motion)), 0.2, 1)
    ours = record(look(scene, height, width), 0.8, 2)
    cell = working_cell(height, width)
    assert cell == 2
    small = guide_pair(reduce_to_cells(theirs, cell), reduce_to_cells(ours, cell), 0.25)
    assert end_point_error(at_full_size(estimate_camera_motion(*small), cell), motion, height, width) < 0.2
    aligned = align([theirs, ours], (1, 4), 1)
    still = np.clip(look(scene, height, width) * 0.2, 0, 1)
    assert np.abs(aligned.linear[0] - still)[aligned.valid[0]].mean() < 0.05 * np.abs(theirs - still).mean()


def test_things_that_move_do_not_carry_the_scene_along() -> None:
    # The things are much crisper than what is behind them, and move against the camera.
    scene, crisp = waves(5, shortest_px=40, contrast=0.5), waves(6, shortest_px=6, longest_px=20)
    motion = turned(HEIGHT, WIDTH, (1, 0.5, 1))
    before = over(over(scene, crisp, (100, 80), 40), crisp, (260, 160), 35)
    after = over(over(scene, crisp, (120, 90), 40), crisp, (285, 150), 35)
    theirs = record(look(before, HEIGHT, WIDTH, np.linalg.inv(motion)), 0.125, 1)
    ours = record(look(after, HEIGHT, WIDTH), 0.5, 2)
    found = estimate_camera_motion(*guide_pair(theirs, ours, 0.25))
    assert end_point_error(found, motion, HEIGHT, WIDTH) < 0.5


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 5, 3), (17, 16, 3), (1, 400, 3), (40, 90, 3)])
def test_small_and_flat_pictures_are_left_alone(shape: tuple[int, int, int]) -> None:
    frames = [np.full(shape, light, np.float32) for light in (0.1, 0.4, 1.0)]
    aligned = align(frames, (1, 4, 16), 1)
    assert all(one is other for one, other in zip(aligned.linear, frames, strict=True))
    assert aligned.rejected == {}
