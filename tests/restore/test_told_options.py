"""A result says what was asked for, and is silent about options that nobody gave."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import headroom
from headroom.image import Bracket, Hdr, Photo
from headroom.io import provenance

PHOTO = Photo(np.random.default_rng(0).integers(0, 256, (40, 80, 3)).astype(np.uint8), 8)


def expanded(**options: Any) -> Hdr:
    return headroom.expand(PHOTO, method="linear", **options)


def merged(**options: Any) -> Hdr:
    brighter = Photo(np.minimum(PHOTO.codes * 2.0, 255).astype(np.uint8), 8)
    return headroom.merge(Bracket((PHOTO, brighter), (0.0, 2.2), 0), method="debevec", **options)


@pytest.mark.parametrize(
    ("made", "given"),
    [
        (expanded, {}),
        (expanded, {"exposure_ev": -1.0}),
        (expanded, {"max_headroom_stops": 0.0}),
        (expanded, {"panorama": True}),
        (merged, {}),
        (merged, {"align": False}),
    ],
)
def test_only_what_was_asked_for_is_told(made: Any, given: dict[str, Any]) -> None:
    options = {"exposure_ev", "max_headroom_stops", "panorama", "smoothing", "align", "predicted"}
    told = made(**given).provenance
    assert {name: told[name] for name in options & told.keys()} == given


def test_a_video_tells_how_its_frames_hold_together() -> None:
    assert expanded(steady=headroom.Steady(0.0)).provenance["smoothing"] == 0


def test_an_enhanced_photo_tells_stages_where_there_are_two() -> None:
    mask = np.arange(80) < 8 + np.zeros((40, 1))
    one = headroom.enhance(PHOTO, stage1="linear")
    two = headroom.enhance(PHOTO, stage1="linear", mask=mask, steps=1)
    told, both = (provenance.from_xmp(photo.metadata.xmp) for photo in (one, two))
    assert told["method"] == "linear"
    assert not {"stages", "prompt", "negative_prompt"} & told.keys()
    assert [stage["method"] for stage in both["stages"]] == ["linear", "sagiri"]
    assert not {"prompt", "negative_prompt"} & both.keys()
