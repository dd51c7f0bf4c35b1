"""Frames that do not belong to a bracket: the result is the one without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_brackets import SIZE, bracket_of, hand_held_views, light_of, reordered, replaced, strangers, wavy

import headroom
from headroom.image import Bracket
from headroom.restore.exposures import settle


@pytest.mark.parametrize(("evs", "moving"), [((-2, 0, 2), True), ((-3, 0, 3), False), ((-2, 0, 1, 2), False)])
def test_a_stranger_is_as_if_it_had_not_been_given(evs: tuple[float, ...], *, moving: bool) -> None:
    views = hand_held_views(6, len(evs)) if moving else [wavy(6)] * len(evs)
    frames = bracket_of(views, evs)
    for place in range(len(evs)):
        expected = headroom.merge(reordered(frames, [i for i in range(len(evs)) if i != place]))
        for name, stranger in strangers(6, evs[place]).items():
            if (evs, place, name) == ((-3, 0, 3), 1, "grey"):
                continue  # what the long frame does not clip is too little to tell which of the other two it fits
            mixed = headroom.merge(replaced(frames, place, stranger))
            assert list(mixed.provenance["rejected"]) == [f"frame {place}"], name
            np.testing.assert_array_equal(mixed.pixels, expected.pixels, err_msg=name)


def test_a_stranger_that_was_asked_for_stays_the_reference() -> None:
    frames = bracket_of(wavy(7), (-2, 0, 2), reference=1)
    stranger = strangers(7, 0)["another scene"]
    mixed = headroom.merge(replaced(frames, 1, stranger))
    assert sorted(mixed.provenance["rejected"]) == ["frame 0", "frame 2"]
    np.testing.assert_allclose(mixed.pixels, light_of(stranger), atol=0.05)


def test_a_reference_that_does_not_fit_is_named() -> None:
    frames = replaced(bracket_of(wavy(7), (-2, 0, 2)), 1, strangers(7, 0)["another scene"])
    assert settle(frames).reference == 1
    (warning,) = headroom.merge(frames).provenance["warnings"]
    assert warning == "frame 1 doesn't fit the others, so frame 0 is the reference."


def test_a_lone_frame_that_is_left_comes_back() -> None:
    frames = bracket_of(wavy(8), (-2, 0), reference=1)
    mixed = headroom.merge(replaced(frames, 0, strangers(8, -2)["noise"]))
    assert list(mixed.provenance["rejected"]) == ["frame 0"]
    assert mixed.pixels.max() <= 1 + 1e-6
    np.testing.assert_allclose(mixed.pixels, light_of(frames.frames[1]), atol=0.05)


def test_a_stranger_misleads_no_estimate_of_exposures() -> None:
    frames = bracket_of(wavy(9), (-2, -1, 0, 2))
    unknown = Bracket(replaced(frames, 1, strangers(9, -1)["another scene"]).frames, (None,) * 4)
    mixed = headroom.merge(unknown)
    assert len(mixed.provenance["rejected"]) == 1
    kept = [
        ev for i, ev in enumerate(mixed.provenance["exposures_ev"]) if f"frame {i}" not in mixed.provenance["rejected"]
    ]
    np.testing.assert_allclose(np.diff(kept), [2, 2], atol=0.1)


def test_a_lifted_black_makes_no_stranger() -> None:
    # A dark interior before windows, scanned from film: most of a short frame is code 24.
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    windows = (rows // 8 % 4 == 1) & (columns // 8 % 4 == 1)
    scene = wavy(10) * np.where(windows, 8, 0.05)[..., None]
    frames = bracket_of(scene, (-4, -2, 0, 2, 4), bits=8)
    lifted = tuple(replace(frame, codes=np.maximum(frame.codes, 24)) for frame in frames.frames)
    assert not headroom.merge(replace(frames, frames=lifted)).provenance["rejected"]
