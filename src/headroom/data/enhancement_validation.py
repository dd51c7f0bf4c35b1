"""The badly exposed photos that enhance methods are compared on."""

from __future__ import annotations

from pathlib import Path

from headroom.data.camera import CameraSettings
from headroom.data.enhancement import EnhancementData, EnhancementSettings
from headroom.data.panoramas import load_panoramas

PHOTOS = 44
"""Number of photos: the first of the sequence."""

SIDE_PX = 256
"""Side of a photo; a panorama of 1024 x 512 holds no more detail."""

_SEED = 778

# All values are spelled out: those of training may move, and scores must stay comparable.
_SETTINGS = EnhancementSettings(
    error_ev=(-3.5, 3.0),
    field_of_view_degrees=(60.0, 105.0),
    pitch_degrees=(-20.0, 35.0),
    roll_degrees=4.0,
    camera=CameraSettings(
        families=(("srgb", 0.3), ("gamma", 0.1), ("sigmoid", 0.3), ("monotone", 0.3)),
        colour_gain_ev=0.15,
        saturation=0.1,
        shot_noise=4e-4,
        read_noise=2e-3,
        jpeg_chance=1.0,
        jpeg_quality=(50.0, 100.0),
    ),
)


def exposure_errors(folder: Path) -> EnhancementData:
    """Give the badly exposed photos of a folder of panoramas, the same in every run.

    Raises:
        DataError: The folder holds no panorama of the val split, or they differ in size.
    """
    return EnhancementData(load_panoramas(folder, "val"), _SETTINGS, _SEED)
