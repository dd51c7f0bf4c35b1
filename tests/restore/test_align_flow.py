from __future__ import annotations

import numpy as np
import pytest
from hand_held import look, over, record, waves
from numpy.typing import NDArray

from headroom.restore.flow import refine

HEIGHT, WIDTH = 180, 240
SCENE, MARKS = waves(1, shortest_px=12, contrast=0.5), waves(2, shortest_px=8, longest_px=60)


def thing(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.3 * MARKS(x, y)


def around(centre: tuple[float, float], radius_px: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.hypot(x - centre[0], y - centre[1]) < radius_px


@pytest.mark.parametrize("ev", [-3, -2, 2])
@pytest.mark.parametrize("move", [(6, 0), (-9, 12), (16, -8)])
def test_what_moved_comes_to_where_the_reference_shows_it(ev: int, move: tuple[float, float]) -> None:
    there, here = (110, 90), (110 + move[0], 90 + move[1])
    exposure = 0.3 * 2.0**ev
    frame = record(look(over(SCENE, thing, there, 35), HEIGHT, WIDTH), exposure, 1)
    scene = look(over(SCENE, thing, here, 35), HEIGHT, WIDTH)
    refined = refine(frame, record(scene, 0.3, 2), 2.0**ev)
    truth, moved = np.clip(scene * exposure, 0, 1), around(here, 34)
    assert np.abs(refined - truth)[moved].mean() < 0.4 * np.abs(frame - truth)[moved].mean()
    elsewhere = ~around(there, 60) & ~around(here, 60)
    assert (refined != frame).any(axis=-1)[elsewhere].mean() < 0.05


@pytest.mark.parametrize("distance_px", [8, 20])
def test_a_moving_lamp_that_the_reference_nearly_clips_stays_whole(distance_px: int) -> None:
    glow = waves(3, shortest_px=10, longest_px=40, contrast=0.5)

    def lamp(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        return 5 * glow(x, y)

    here = (140, 90)
    frame = record(look(over(SCENE, lamp, (140 - distance_px, 90), 24), HEIGHT, WIDTH), 0.03, 1)
    scene = look(over(SCENE, lamp, here, 24), HEIGHT, WIDTH)
    reference, inside = record(scene, 0.24, 2), around(here, 21)
    assert (reference[inside] == 1).mean() > 0.5
    refined, truth = refine(frame, reference, 0.125), np.clip(scene * 0.03, 0, 1)
    assert np.abs(refined - truth)[inside].mean() < 0.3 * np.abs(frame - truth)[inside].mean()


def test_a_still_lamp_behind_a_moving_thing_keeps_its_shape() -> None:
    def lit(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where((np.hypot(x - 150, y - 90) < 26)[..., None], 20, 1) * SCENE(x, y)

    frame = record(look(over(lit, thing, (95, 100), 30), HEIGHT, WIDTH), 0.03, 1)
    scene = look(over(lit, thing, (110, 100), 30), HEIGHT, WIDTH)
    refined = refine(frame, record(scene, 0.24, 2), 0.125)
    still = around((150, 90), 24) & ~around((110, 100), 36)
    np.testing.assert_allclose(refined[still], np.clip(scene * 0.03, 0, 1)[still], atol=0.08)


def test_a_still_frame_is_left_alone() -> None:
    scene = look(SCENE, HEIGHT, WIDTH)
    frame = record(scene, 0.1, 1)
    assert (refine(frame, record(scene, 0.4, 2), 0.25) != frame).any(axis=-1).mean() < 0.02


def test_the_same_frame_comes_back_bit_for_bit() -> None:
    frame = record(look(SCENE, HEIGHT, WIDTH), 0.4, 1)
    np.testing.assert_array_equal(refine(frame, frame, 1.0), frame)
