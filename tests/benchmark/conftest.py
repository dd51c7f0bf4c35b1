"""A folder of two photos, each with the scene it was taken of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headroom.image import Hdr
from headroom.io import write_hdr
from headroom.io.options import WriteOptions


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Return `day.png` and `night.jpg` of 48 x 32 pixels; the scenes reach 4 and 6 stops above white."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    y, x = np.mgrid[0:32, 0:48] / 32
    for name, peak in (("day.png", 16.0), ("night.jpg", 64.0)):
        lamp = np.exp(-(((x - 0.7) ** 2 + (y - 0.5) ** 2) / 0.05)) * peak
        scene = (np.stack([0.05 + 0.2 * y, 0.1 + 0.1 * x, 0.3 - 0.1 * y], axis=-1) + lamp[..., None]).astype(np.float32)
        clipped = np.clip(scene, 0, 1)
        codes = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
        Image.fromarray(np.rint(codes * 255).astype(np.uint8)).save(folder / name, quality=95)
        write_hdr(Hdr(scene), (folder / name).with_suffix(".exr"), options=WriteOptions(half=False))
    return folder
