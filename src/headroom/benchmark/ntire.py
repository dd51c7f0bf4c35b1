"""Data sets `ntire:` and `ntire-brackets:`: the NTIRE HDR challenges of 2021 and 2022 (Pérez-Pellitero et al.).

A scene is NNNN_short.png, _medium.png and _long.png of 8 bits with NNNN_exposures.npy in EV, and, where it was handed
out, the truth in NNNN_gt.png of 16 bits, to be divided by what NNNN_alignratio.npy holds. All codes are
light ** (1 / 2.24); 1.0 is where the medium frame clips.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from headroom.benchmark.item import Item
from headroom.data.bracket_sets.layouts import present
from headroom.data.bracket_sets.scene import BracketScene
from headroom.errors import DataError, InputError
from headroom.image import Bracket, Encoding, FloatImage, Hdr, Photo
from headroom.io import read_photo

_GAMMA = 2.24
_CURVE = Encoding(transfer=None, table=(np.linspace(0, 1, 256) ** _GAMMA).astype(np.float32))
_EXPOSURES = ("short", "medium", "long")
_MEDIUM = 1


def ntire_items(folder: Path) -> list[Item]:
    """Give the medium frames, as the challenge's single-frame track does.

    Raises:
        DataError: There are none, or a truth lacks its ratio.
    """
    return [
        Item(name, partial(_read_frame, medium), partial(_truth_of_photo, medium), _files(medium, "medium"))
        for name, medium in _scenes(folder)
    ]


def ntire_brackets(folder: Path) -> list[BracketScene]:
    """Give the brackets of the challenge's multi-frame track.

    Raises:
        DataError: There are none, one lacks a file or its exposures are not those of three ascending frames.
    """
    return [_bracket(name, medium) for name, medium in _scenes(folder)]


def _scenes(folder: Path) -> list[tuple[str, Path]]:
    """Find the medium frames and name their scenes."""
    mediums = sorted(folder.rglob("[!.]*_medium.png"))
    if not mediums:
        raise DataError(f"{folder}: holds no file like 0000_medium.png. Give the folder of the challenge's files.")
    for medium in mediums:
        if _beside(medium, "gt.png").is_file():
            present(medium.parent, (_beside(medium, "alignratio.npy").name,))
    return [
        ("-".join((*medium.parent.relative_to(folder).parts, medium.name.removesuffix("_medium.png"))), medium)
        for medium in mediums
    ]


def _bracket(name: str, medium: Path) -> BracketScene:
    frames = tuple(present(medium.parent, (_beside(medium, f"{exposure}.png").name,)) for exposure in _EXPOSURES)
    listing = present(medium.parent, (_beside(medium, "exposures.npy").name,))
    exposures_ev = tuple(_numbers(listing))
    if len(exposures_ev) != len(frames) or not all(one < another for one, another in pairwise(exposures_ev)):
        raise DataError(f"{listing}: holds {exposures_ev}, not three ascending EV. Download it again.")
    to_shortest = 2.0 ** (exposures_ev[0] - exposures_ev[_MEDIUM])
    return BracketScene(
        name,
        exposures_ev,
        partial(_read_bracket, frames, exposures_ev),
        partial(_read_truth, medium, to_shortest),
        files=_files(medium, *_EXPOSURES),
    )


def _read_bracket(frames: tuple[Path, ...], exposures_ev: tuple[float, ...]) -> Bracket:
    return Bracket(tuple(map(_read_frame, frames)), exposures_ev, _MEDIUM, _CURVE)


def _read_frame(path: Path) -> Photo:
    photo = read_photo(path)
    return Photo(photo.codes, photo.bit_depth, _CURVE, source=path, container=photo.container)


def _truth_of_photo(medium: Path) -> Hdr:
    return Hdr(_read_truth(medium, 1.0), source=_beside(medium, "gt.png"))


def _read_truth(medium: Path, scale: float) -> FloatImage:
    path = _beside(medium, "gt.png")
    if not path.is_file():
        raise DataError(f"{path}: was not handed out, so there is no truth. Look at the results instead.")
    (ratio,) = _numbers(_beside(medium, "alignratio.npy"))[:1]
    codes = read_photo(path).codes.astype(np.float64)
    return np.asarray((codes / ratio) ** _GAMMA * scale, np.float32)


def _numbers(path: Path) -> list[float]:
    """Read the numbers of a .npy file.

    Raises:
        InputError: It holds none, or anything else.
    """
    try:
        values = np.load(path, allow_pickle=False).astype(np.float64).ravel()
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: is damaged. Download it again.") from error
    if not values.size or not np.isfinite(values).all():
        raise InputError(f"{path}: holds no finite numbers. Download it again.")
    return [float(value) for value in values]


def _files(medium: Path, *exposures: str) -> tuple[Path, ...]:
    names = (*(f"{exposure}.png" for exposure in exposures), "exposures.npy", "gt.png", "alignratio.npy")
    return tuple(path for name in names if (path := _beside(medium, name)).is_file())


def _beside(medium: Path, ending: str) -> Path:
    """Give another file of the same scene."""
    return medium.with_name(f"{medium.name.removesuffix('medium.png')}{ending}")
