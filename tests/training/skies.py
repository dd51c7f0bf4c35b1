"""Small procedural panoramas under names of the committed lists."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

TRAIN = ("cave_wall_1k", "lebombo_1k")
VAL = ("vestibule_1k",)


def write_skies(folder: Path) -> None:
    """Write skies over textured ground, 128 x 64: one of each name."""
    x, y = np.meshgrid(np.linspace(0, 2 * np.pi, 128, endpoint=False), np.linspace(1, -1, 64))
    for seed, name in enumerate((*TRAIN, *VAL)):
        generator = np.random.default_rng(seed)
        log2 = np.where(y > 0, 2 + y, -3 + np.sin(6 * x + seed)) + 0.3 * generator.normal(size=x.shape)
        light = np.exp2(log2)[..., None] * generator.uniform(0.6, 1.0, 3)
        assert cv2.imwrite(str(folder / f"{name}.hdr"), light.astype(np.float32))
