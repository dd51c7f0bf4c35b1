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

_SEED = 777


def validation_data(folder: Path) -> ExpansionData:
    """Give the validation photos of a folder of panoramas, the same in every run: every second one is a mirror image.

    Raises:
        DataError: The folder holds no panorama of the val split, or they differ in size.
    """
    return ExpansionData(
        load_panoramas(folder, "val"),
        ViewSettings(double_exposure_chance=0, highlight_contrast=(1, 1)),
        CameraSettings(low_key_chance=0),
        deep_chance=0,
        seed=_SEED,
    )
