from __future__ import annotations

import numpy as np
import pytest
from hand_held import look, record, turned, waves
from numpy.typing import NDArray

from headroom.restore.align import align

HEIGHT, WIDTH = 240, 360
SCENE = waves(1)
REFERENCE = record(look(SCENE, HEIGHT, WIDTH), 0.5, 1)
STRANGERS = {
    "noise": np.random.default_rng(1).random((HEIGHT, WIDTH, 3), np.float32),
    "dark noise": 0.01 * np.random.default_rng(1).random((HEIGHT, WIDTH, 3), np.float32),
    "black": np.zeros((HEIGHT, WIDTH, 3), np.float32),
    "white": np.ones((HEIGHT, WIDTH, 3), np.float32),
    "grey": np.full((HEIGHT, WIDTH, 3), 0.1, np.float32),
}


def frame(ev: float, degrees: tuple[float, float, float] = (1, 1, -1)) -> NDArray[np.float32]:
    view = turned(HEIGHT, WIDTH, degrees)
    return record(look(SCENE, HEIGHT, WIDTH, view), 0.5 * 2.0**ev, 2)


@pytest.mark.parametrize("ev", [-2, 2])
@pytest.mark.parametrize("name", STRANGERS)
def test_a_frame_of_nothing_is_left_out(name: str, ev: int) -> None:
    aligned = align([STRANGERS[name], REFERENCE], (2.0**ev, 1), 1)
    assert "shows something else" in aligned.rejected[0]
    assert not aligned.valid[0].any()
    assert aligned.helped == (False, False)
    np.testing.assert_allclose(aligned.linear[0], np.minimum(REFERENCE * 2.0**ev, 1), rtol=1e-6)


@pytest.mark.parametrize("ev", [-2, 2])
@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_another_scene_is_left_out(seed: int, ev: int) -> None:
    other = record(look(waves(seed), HEIGHT, WIDTH), 0.5 * 2.0**ev, 2)
    assert 0 in align([other, REFERENCE], (2.0**ev, 1), 1).rejected


def test_the_mirror_image_is_left_out() -> None:
    assert 0 in align([frame(-2)[:, ::-1].copy(), REFERENCE], (0.25, 1), 1).rejected


@pytest.mark.parametrize("ev", [-3, -2, 2])
@pytest.mark.parametrize("share", [0, 1 / 3, 1 / 2])
def test_moved_things_are_no_reason(share: float, ev: int) -> None:
    mixed = frame(ev)
    columns = round(share * WIDTH)
    mixed[:, :columns] = record(look(waves(21), HEIGHT, columns), 0.5 * 2.0**ev, 3)
    aligned = align([mixed, REFERENCE], (2.0**ev, 1), 1)
    assert aligned.rejected == {}


@pytest.mark.parametrize("error_ev", [-1.5, 1.5, 2.5])
def test_a_wrong_exposure_is_named(error_ev: float) -> None:
    reason = align([frame(-2), REFERENCE], (2.0 ** (-2 - error_ev), 1), 1).rejected[0]
    assert f"{abs(error_ev):.1f} stops {'brighter' if error_ev > 0 else 'darker'}" in reason


@pytest.mark.parametrize("ev", [-7, -6, -5, -4, 4, 5])
def test_far_exposures_belong(ev: int) -> None:
    assert align([frame(ev), REFERENCE], (2.0**ev, 1), 1).rejected == {}


def test_a_frame_too_short_to_show_anything_is_kept() -> None:
    dark = record(look(SCENE, HEIGHT, WIDTH), 0.5 * 2.0**-14, 2)
    assert align([dark, REFERENCE], (2.0**-14, 1), 1).rejected == {}


@pytest.mark.parametrize("ev", [-3, -2])
def test_a_noisy_sky_at_night_belongs(ev: int) -> None:
    # Darkness as far as the eye sees, and noise of its own in every frame; some lamps are all that there is to compare.
    generator = np.random.default_rng(4)
    sky = np.full((HEIGHT, WIDTH, 3), 0.3) * np.linspace(0.5, 1, HEIGHT)[:, None, None]
    sky[200::30, ::40] = 0.9
    noisy = [
        np.clip(sky * 2.0**stops + generator.normal(0, 0.006, sky.shape), 0, 1).astype(np.float32) for stops in (ev, 0)
    ]
    assert align(noisy, (2.0**ev, 1), 1).rejected == {}


def test_plain_walls_belong_together() -> None:
    wall = [record(np.full((HEIGHT, WIDTH, 3), 0.5), exposure, 1) for exposure in (0.25, 1)]
    assert align(wall, (1, 4), 1).rejected == {}
