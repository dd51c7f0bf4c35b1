"""Challenge123 (Kong et al. 2024): every moment of a scene has a folder, with all three exposures and a truth.

A bracket takes the short exposure of the first moment, the middle one of the second, whose truth counts, and the long
one of the third: NNN_1/ldr_img_1.tif, NNN_2/ldr_img_2.tif and NNN_3/ldr_img_3.tif.
"""

from __future__ import annotations

from pathlib import Path

from headroom.data.bracket_sets.layouts import present, read_exposures, scene_name
from headroom.data.bracket_sets.scene import BracketScene, scene_of_files
from headroom.errors import DataError


def find_challenge123(folder: Path) -> list[BracketScene]:
    """Find the scenes below a folder, in the order of their paths.

    Raises:
        DataError: There are none, or one lacks a file.
    """
    middles = sorted(path for path in folder.rglob("*_2") if path.is_dir())
    if not middles:
        raise DataError(f"{folder}: holds no folder like 001_2. Give the folder Training or Test of Challenge123.")
    return [_scene(folder, middle) for middle in middles]


def _scene(root: Path, middle: Path) -> BracketScene:
    stem = middle.name.removesuffix("_2")
    frames = tuple(present(middle.with_name(f"{stem}_{number}"), (f"ldr_img_{number}.tif",)) for number in (1, 2, 3))
    exposures_ev = read_exposures(present(middle, ("exposure.txt",)), len(frames))
    truth = present(middle, ("hdr_img.hdr", "HDRImg.hdr"))
    return scene_of_files(scene_name(root, middle.with_name(stem)), frames, exposures_ev, truth)
