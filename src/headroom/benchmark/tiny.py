"""Data sets `tiny:photos`, `tiny:brackets` and `tiny:exposure-errors`, made on the spot: every command works at once.

They show that things work, not how well: formulas painted their scenes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from headroom.benchmark.exposure_errors import example_items
from headroom.benchmark.item import EnhanceItem, Item
from headroom.benchmark.panoramas import view_items
from headroom.data.bracket_sets.scene import BracketScene
from headroom.data.brackets_files import BracketFileSettings, Example, make_examples
from headroom.data.camera import CameraSettings
from headroom.data.enhancement import EnhancementData, EnhancementSettings
from headroom.data.expansion import ExpansionData, ViewSettings
from headroom.data.motion import MotionSettings
from headroom.data.painted import painted_panoramas
from headroom.image import Bracket, Encoding, FloatImage, Photo

PHOTOS, SIDE_PX = 4, 256
BRACKETS, FRAME_PX = 2, (192, 288)
_SEED, _ERROR_SEED = 21, 20

# Here too all values are spelled out, as in `data.validation`.
_VIEWS = ViewSettings(
    field_of_view_degrees=(50.0, 80.0),
    pitch_degrees=(-5.0, 20.0),
    roll_degrees=4.0,
    double_exposure_chance=0.0,
    highlight_contrast=(1.0, 1.0),
)
_CAMERA = CameraSettings(
    clipped_share=(0.03, 0.2),
    low_key_chance=0.0,
    families=(("srgb", 0.5), ("sigmoid", 0.5)),
    colour_gain_ev=0.15,
    saturation=0.1,
    shot_noise=4e-4,
    read_noise=2e-3,
    jpeg_chance=0.5,
    jpeg_quality=(70.0, 95.0),
)
_USUAL = BracketFileSettings()
_BRACKETS = BracketFileSettings(
    frame_px=FRAME_PX,
    turn_degrees=(0.4, 0.4, 0.2),
    scene=replace(
        _USUAL.scene,
        focal_px=(160.0, 240.0),
        objects=(1, 2),
        object_side=128,
        motion=MotionSettings(size_px=(50.0, 120.0), step_px=20.0, still_chance=0, absent_chance=0),
    ),
    camera=replace(_USUAL.camera, steps_ev=((2.0, 1.0),)),
)
_ERRORS = EnhancementSettings(
    error_ev=(-3.0, 3.0),
    field_of_view_degrees=(50.0, 80.0),
    pitch_degrees=(-5.0, 20.0),
    roll_degrees=4.0,
    camera=replace(_CAMERA, jpeg_chance=1.0),
)
_EXPOSURES_EV = (-2.0, 0.0, 2.0)


def tiny_photos() -> list[Item]:
    """Give four photos of painted scenes."""
    data = ExpansionData(painted_panoramas(), _VIEWS, _CAMERA, deep_chance=0, seed=_SEED)
    return view_items(data, PHOTOS, PHOTOS, SIDE_PX)


def tiny_exposure_errors() -> list[EnhanceItem]:
    """Give four badly exposed photos of painted scenes."""
    return example_items(EnhancementData(painted_panoramas(), _ERRORS, _ERROR_SEED), PHOTOS, SIDE_PX)


def tiny_brackets() -> list[BracketScene]:
    """Give two brackets of painted scenes in which things move."""

    @lru_cache(maxsize=1)
    def examples() -> list[Example]:
        return list(make_examples(painted_panoramas(), BRACKETS, _SEED, _BRACKETS))

    def frames(number: int) -> Bracket:
        photos = tuple(Photo(codes, 16, Encoding(transfer="gamma22")) for codes in examples()[number].frames)
        return Bracket(photos, _EXPOSURES_EV, reference=1)

    def truth(number: int) -> FloatImage:
        return examples()[number].truth

    def mask(number: int) -> NDArray[np.bool_]:
        return examples()[number].mask

    return [
        BracketScene(
            f"bracket_{number:02}",
            _EXPOSURES_EV,
            partial(frames, number),
            partial(truth, number),
            partial(mask, number),
        )
        for number in range(BRACKETS)
    ]
