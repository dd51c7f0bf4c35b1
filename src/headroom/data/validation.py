"""The photos of panoramas that expand methods are compared on: the same in training and in the benchmark."""

from __future__ import annotations

from pathlib import Path

from headroom.data.camera import CameraSettings
from headroom.data.expansion import ExpansionData, ViewSettings
from headroom.data.panoramas import load_panoramas

PHOTOS = 96
"""Number of validation photos."""

SIDE_PX = 384
"""Side of a validation photo."""

BATCH = 8
"""Photos that are made at a time; the random numbers of a photo depend on it."""

DRAWS = (777, 1, 2, 3, 4)
"""Seeds of as many sets of photos; training validates on the first."""

# All values are spelled out: those of training may move, and scores must stay comparable.
_VIEWS = ViewSettings(
    field_of_view_degrees=(40.0, 105.0),
    pitch_degrees=(-20.0, 35.0),
    roll_degrees=4.0,
    double_exposure_chance=0.0,
    highlight_contrast=(1.0, 1.0),
)
_CAMERA = CameraSettings(
    clipped_share=(0.02, 0.25),
    low_key_chance=0.0,
    families=(("srgb", 0.3), ("gamma", 0.1), ("sigmoid", 0.3), ("monotone", 0.3)),
    colour_gain_ev=0.15,
    saturation=0.1,
    shot_noise=4e-4,
    read_noise=2e-3,
    jpeg_chance=0.7,
    jpeg_quality=(50.0, 100.0),
)


def validation_data(folder: Path) -> ExpansionData:
    """Give the validation photos of a folder of panoramas, the same in every run; half of them mirror the others.

    Raises:
        DataError: The folder holds no panorama of the val split, or they differ in size.
    """
    return ExpansionData(load_panoramas(folder, "val"), _VIEWS, _CAMERA, deep_chance=0, seed=DRAWS[0])
