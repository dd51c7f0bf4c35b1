from __future__ import annotations

import numpy as np
import pytest
from hand_held import look, turned, waves
from numpy.typing import NDArray

from headroom.restore.guide import exposure_error_ev, guide_pair
from headroom.restore.homography import plausible
from headroom.restore.warp import Places, SourceOf, pixel_places, project, warp


def through(homography: NDArray[np.float64]) -> SourceOf:
    def source_of(rows: slice, columns: slice) -> Places:
        return project(homography, pixel_places(rows, columns))

    return source_of


def test_pixels_come_from_where_they_were() -> None:
    scene, motion = waves(1), turned(600, 300, (1, 2, -4))
    frame = look(scene, 600, 300).astype(np.float32)
    moved, inside = warp(frame, through(motion))
    true = look(scene, 600, 300, motion)
    inner = inside & (np.roll(inside, 4, 0) & np.roll(inside, -4, 0) & np.roll(inside, 4, 1) & np.roll(inside, -4, 1))
    relative = np.abs(moved - true)[inner] / true[inner]
    assert np.median(relative) < 0.01
    assert np.quantile(relative, 0.99) < 0.05


def test_whole_pixels_are_exact() -> None:
    frame = np.random.default_rng(1).random((40, 50, 3), np.float32)
    moved, inside = warp(frame, through(np.array([[1, 0, 7], [0, 1, -3], [0, 0, 1.0]])))
    np.testing.assert_allclose(moved[3:, :43], frame[:-3, 7:], rtol=1e-6)
    assert inside[3:, :43].all()
    assert not inside[:3].any()
    assert not inside[:, 43:].any()


def test_lamps_get_no_rims() -> None:
    frame = np.full((30, 60, 3), 0.01, np.float32)
    frame[:, 30:] = 1
    moved, _ = warp(frame, through(np.array([[1, 0, 0.4], [0, 1, 0.3], [0, 0, 1.0]])))
    assert moved.min() >= 0.01 - 1e-7
    assert moved.max() <= 1


def test_pictures_may_be_wider_than_opencv_takes() -> None:
    frame = np.random.default_rng(2).random((3, 40_000, 3), np.float32)
    moved, _ = warp(frame, through(np.array([[1, 0, 2], [0, 1, 0], [0, 0, 1.0]])))
    np.testing.assert_allclose(moved[:, :-2], frame[:, 2:], rtol=1e-6)


@pytest.mark.parametrize("degrees", [(0, 0, 0), (5, -5, 8), (10, 0, 0)])
def test_a_hand_can_turn_a_camera_so(degrees: tuple[float, float, float]) -> None:
    assert plausible(turned(200, 300, degrees), (200, 300))


@pytest.mark.parametrize(
    "homography",
    [
        np.diag([-1.0, 1, 1]),
        np.diag([3.0, 3, 1]),
        np.diag([0.4, 1, 1]),
        np.array([[1, 0, 200], [0, 1, 0], [0, 0, 1.0]]),
        np.array([[1, 0, 0], [0, 1, 0], [-0.01, 0, 1.0]]),
        np.full((3, 3), np.nan),
        np.zeros((3, 3)),
    ],
)
def test_no_hand_can_turn_a_camera_so(homography: NDArray[np.float64]) -> None:
    assert not plausible(homography, (200, 300))


@pytest.mark.parametrize("ratio", [1 / 16, 0.25, 1, 8])
def test_the_same_light_has_the_same_code(ratio: float) -> None:
    scene = look(waves(3), 60, 80)
    frames = [np.clip(scene * exposure, 0, 1).astype(np.float32) for exposure in (0.3 * ratio, 0.3)]
    guides = [guide.astype(int) for guide in guide_pair(*frames, ratio)]
    assert np.abs(guides[0] - guides[1]).max() <= 1
    assert np.ptp(guides[1]) > 80


@pytest.mark.parametrize("error_ev", [-1.5, -0.2, 0, 0.7, 3])
def test_distributions_tell_the_exposure(error_ev: float) -> None:
    scene = look(waves(4), 120, 160)
    frames = [np.clip(scene * exposure, 0, 1).astype(np.float32) for exposure in (0.05 * 2**error_ev, 0.2)]
    assert exposure_error_ev(*frames, 0.25) == pytest.approx(error_ev, abs=0.05)
