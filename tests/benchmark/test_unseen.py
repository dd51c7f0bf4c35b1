"""What no frame of a bracket shows: found where it was made, and scored as plain NumPy scores it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from headroom.benchmark.judge import judge_of
from headroom.benchmark.measure import Meter
from headroom.benchmark.unseen import find_unseen
from headroom.data.bracket_sets.scene import BracketScene
from headroom.image import Bracket, Encoding, FloatImage, Hdr, Photo
from headroom.metrics import registry
from headroom.metrics.pu21 import pu21_encode

EV = (-2.0, 0.0, 2.0)
SQUARE = (slice(30, 60), slice(40, 80))


def made(*, hidden: bool) -> tuple[Bracket, FloatImage]:
    """Photograph dim coloured noise with a bright square, which something may hide from the shortest frame."""
    light = np.random.default_rng(0).uniform(0.02, 0.1, (96, 128, 3))
    light[SQUARE] = 0.5
    frames = []
    for ev in EV:
        shown = light.copy()
        if hidden and ev == EV[0]:
            shown[SQUARE] = 0.2
        codes = np.clip(shown * 2.0 ** (ev - EV[0]), 0, 1) ** (1 / 2.2)
        frames.append(Photo(np.rint(codes * 65535).astype(np.uint16), 16, Encoding(transfer="gamma22")))
    return Bracket(tuple(frames), EV, 1), light.astype(np.float32)


def inside() -> NDArray[np.bool_]:
    mask = np.zeros((96, 128), np.bool_)
    mask[SQUARE] = True
    return mask


def measured(result: FloatImage, *, hidden: bool) -> float:
    bracket, light = made(hidden=hidden)
    scene = BracketScene("one", EV, lambda: bracket, lambda: light)
    readings = Meter(registry.find(["pu21_psnr_unseen"])).read(judge_of(scene), Hdr(4 * result))
    assert not readings.errors
    return readings.values["pu21_psnr_unseen"]


def test_it_is_what_clips_or_was_hidden() -> None:
    bracket, light = made(hidden=True)
    np.testing.assert_array_equal(find_unseen(bracket, 4 * light), inside())


def test_what_one_frame_shows_is_seen() -> None:
    bracket, light = made(hidden=False)
    assert not find_unseen(bracket, 4 * light).any()


def test_what_is_beyond_the_shortest_frame_is_unseen() -> None:
    bracket, light = made(hidden=False)
    assert (find_unseen(bracket, 40 * light)[~inside()]).all()  # frames show a tenth of it


def test_specks_do_not_count() -> None:
    bracket, light = made(hidden=False)
    truth = 4 * light
    truth[::7, ::7] *= 10
    assert not find_unseen(bracket, truth).any()


def test_the_score_is_that_of_these_pixels_alone() -> None:
    _, light = made(hidden=True)
    result = light * np.random.default_rng(1).uniform(0.5, 1.5, light.shape).astype(np.float32)
    nits = 1000 / light.max()
    error = (pu21_encode(nits * result[SQUARE]) - pu21_encode(nits * light[SQUARE])) ** 2
    expected = 10 * np.log10(256**2 / error.mean())
    assert measured(result, hidden=True) == pytest.approx(expected, abs=1e-3)


def test_a_bracket_that_shows_everything_has_no_score() -> None:
    _, light = made(hidden=False)
    assert np.isnan(measured(light, hidden=False))
