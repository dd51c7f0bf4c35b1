"""Data sets with a folder for each scene: what lies in it, and finding all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from headroom.data.bracket_sets.scene import BracketScene, scene_of_files
from headroom.errors import DataError

_FRAMES = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """What the folder of a scene holds.

    Attributes:
        frames: Patterns of the names of the frames; in the order of their names they ascend in exposure.
        exposures: Names or patterns of the file with an EV for each frame; the first that is there counts.
        truths: The same of the truth; none for a set of real scenes, which may lack exposures too and may have any
            number of frames, not just three.
        mask: Name of the mask, or none.
    """

    frames: tuple[str, ...]
    exposures: tuple[str, ...]
    truths: tuple[str, ...]
    mask: str = ""


OWN = Layout(("frame_*.tif",), ("exposure.txt",), ("truth.exr",), "mask.png")
"""What `headroom data brackets` writes."""

_KALANTARI = Layout(("*.tif",), ("exposure.txt",), ("HDRImg.hdr", "label.hdr"))
_ANY_PHOTO = ("*.tif", "*.tiff", "*.png", "*.jpg", "*.jpeg", "*.JPG")

LAYOUTS: Mapping[str, Layout] = {
    "brackets": OWN,
    # Kalantari and Ramamoorthi 2017; label.hdr is the name in folders of crops.
    "kalantari": _KALANTARI,
    # Tel et al. 2023
    "tel": _KALANTARI,
    # Hu et al. 2020; the frames that were taken without motion are named ref_*.tif.
    "hu": Layout(("input_*.tif",), ("input_exp.txt", "exposure.txt"), ("ref_hdr_aligned_linear.hdr", "HDRImg.hdr")),
    # Sen et al. 2012: real scenes, so nobody knows the truth. Their own ReadSceneFiles.m takes all *.tif of a folder
    # and the exponents of 2 in its only *.txt; the frame after the half is the reference.
    "sen": Layout(("*.tif",), ("*.txt",), ()),
    # Tursun et al. 2016: real scenes too. Their page tells no layout, so any photos in a folder make a bracket.
    "tursun": Layout(_ANY_PHOTO, ("exposure.txt", "exposures.txt"), ()),
}


def find_scenes(folder: Path, layout: Layout) -> list[BracketScene]:
    """Find the scenes below a folder, in the order of their paths.

    Raises:
        DataError: There are none, or one lacks a file or has exposures that do not fit its frames.
    """
    folders = sorted({path.parent for pattern in layout.frames for path in folder.rglob(pattern) if _is_seen(path)})
    if not folders:
        raise DataError(f"{folder}: holds no {' or '.join(layout.frames)}. Give the folder that holds those of scenes.")
    return [_scene(folder, scene, layout) for scene in folders]


def _scene(root: Path, folder: Path, layout: Layout) -> BracketScene:
    frames = tuple(_matching(folder, layout.frames))
    name = scene_name(root, folder)
    if not layout.truths:
        return _real_scene(name, frames, _matching(folder, layout.exposures))
    if len(frames) != _FRAMES:
        raise DataError(
            f"{folder}: holds {len(frames)} {' or '.join(layout.frames)}. Leave the {_FRAMES} frames there."
        )
    exposures_ev = read_exposures(present(folder, layout.exposures), _FRAMES)
    mask = present(folder, (layout.mask,)) if layout.mask else None
    return scene_of_files(name, frames, exposures_ev, present(folder, layout.truths), mask)


def _real_scene(name: str, frames: tuple[Path, ...], listings: list[Path]) -> BracketScene:
    """Give a scene without truth, its frames in ascending exposure where a file lists exposures."""
    if not listings:
        return scene_of_files(name, frames, None)
    listed = sorted(zip(read_exposures(listings[0], len(frames), any_order=True), frames, strict=True))
    return scene_of_files(name, tuple(path for _, path in listed), tuple(ev for ev, _ in listed))


def _matching(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """Find files by name, in the order of their names."""
    return sorted({path for pattern in patterns for path in folder.glob(pattern) if _is_seen(path)})


def _is_seen(path: Path) -> bool:
    """Tell files from what an archive of another system or a cut-off copy leaves beside them."""
    return path.name[0] != "."


def scene_name(root: Path, folder: Path) -> str:
    """Name a scene by its place below the data set's folder, as one word."""
    return "-".join(folder.relative_to(root).parts) or folder.name


def present(folder: Path, names: tuple[str, ...]) -> Path:
    """Give the first of these files that is there.

    Raises:
        DataError: None is.
    """
    for name in names:
        if (path := folder / name).is_file():
            return path
    raise DataError(f"{folder}: {' or '.join(names)} is missing. Download the data set again, or give another folder.")


def read_exposures(path: Path, count: int, *, any_order: bool = False) -> tuple[float, ...]:
    """Read a text file with an EV for each frame, in ascending order unless `any_order`.

    Raises:
        DataError: It holds something else.
    """
    words = path.read_bytes()[:1000].decode("ascii", "replace").replace(",", " ").split()
    try:
        values = tuple(float(word) for word in words)
    except ValueError:
        values = ()
    in_order = any_order or all(one < another for one, another in pairwise(values))
    if len(values) != count or not in_order or not all(map(math.isfinite, values)):
        raise DataError(
            f"{path}: holds {' '.join(words)[:60]!r}. Write {count} ascending EV into it, one for each frame."
        )
    return values
