"""Brackets as people have them: files that are named, a folder of one, a folder of many."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from headroom.errors import InputError, UsageError
from headroom.image import Bracket
from headroom.io import capture
from headroom.io.exposure import exif_exposure_ev, listed_exposures_ev
from headroom.io.formats import FORMATS
from headroom.io.reading import describe, read_photo
from headroom.limits import LIMITS

LONGEST_PAUSE_S = 4.0
"""Between the end of one frame and the start of the next of a bracket; a burst takes less, a new picture more."""
_SAME_EXPOSURE_EV = 0.1
_SUFFIXES = {
    suffix for container in FORMATS.values() if container.reads in {"photo", "either"} for suffix in container.suffixes
}


def read_bracket(paths: Sequence[str | os.PathLike[str]], evs: Sequence[float] | None = None) -> Bracket:
    """Read the frames of one bracket, in any order.

    Exposures are those given, else those of an `exposure.txt` beside the files, else those of the files themselves.

    Args:
        paths: Photos, camera RAW included.
        evs: Exposure of each in EV; only differences matter.

    Raises:
        InputError: Too few or too many frames, or one that cannot be read.
        UsageError: Not one exposure a frame.
    """
    files = [Path(path) for path in paths]
    if not 2 <= len(files) <= LIMITS.bracket_frames:
        named = ", ".join(map(str, files)) or "no files"
        raise InputError(f"{named}: a bracket has 2 to {LIMITS.bracket_frames} frames, not {len(files)}. Give those.")
    if evs is not None and len(evs) != len(files):
        raise UsageError(f"{len(evs)} exposures for {len(files)} frames. Give one for each, in the same order.")
    known = list(evs) if evs is not None else listed_exposures_ev(files)
    frames = tuple(read_photo(file) for file in files)
    return Bracket(frames, tuple(known or (exif_exposure_ev(frame.metadata.exif) for frame in frames)))


def group_folder(folder: Path) -> list[list[Path]]:
    """Part the photos of a folder into brackets, in the order in which they were taken.

    A new group begins with another camera, size or kind of file, after a pause, when an exposure comes again, and
    when a group is as long as a bracket can be. A photo that belongs to no bracket is a group of one.

    Raises:
        InputError: The folder holds no photo, or one that cannot be read.
    """
    files = [path for path in folder.iterdir() if path.name[0] != "." and path.suffix.lower() in _SUFFIXES]
    if not files:
        raise InputError(f"{folder}: holds no photo. Give a folder of bracketed photos.")
    frames = sorted((_frame(path) for path in files), key=lambda frame: (frame.camera, frame.taken, frame.path))
    groups: list[list[_Frame]] = []
    for frame in frames:
        if groups and _goes_on(groups[-1], frame):
            groups[-1].append(frame)
        else:
            groups.append([frame])
    return [[frame.path for frame in group] for group in groups]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What tells whether a photo belongs to a bracket.

    Attributes:
        path: The file.
        camera: Whatever must be the same: model and serial number, container, width and height.
        taken: When its exposure ended, or `datetime.min`.
        exposure_s: Exposure time.
        exposure_ev: Exposure, if it is known.
    """

    path: Path
    camera: tuple[str, str, str, int, int]
    taken: datetime
    exposure_s: float
    exposure_ev: float | None


def _frame(path: Path) -> _Frame:
    facts = describe(path)
    shot = capture.from_exif(facts.metadata.exif or b"")
    camera = (shot.model or "", shot.serial_number or "", facts.container, facts.width, facts.height)
    try:
        taken = datetime.strptime(shot.taken or "", "%Y:%m:%d %H:%M:%S")
    except ValueError:
        taken = datetime.min
    return _Frame(path, camera, taken, shot.exposure_s or 0.0, exif_exposure_ev(facts.metadata.exif))


def _goes_on(group: Sequence[_Frame], frame: _Frame) -> bool:
    last = group[-1]
    pause_s = (frame.taken - last.taken).total_seconds()
    return (
        len(group) < LIMITS.bracket_frames
        and frame.camera == last.camera
        and pause_s <= LONGEST_PAUSE_S + max(frame.exposure_s, last.exposure_s)
        and frame.exposure_ev is not None
        and all(
            other.exposure_ev is not None and abs(other.exposure_ev - frame.exposure_ev) > _SAME_EXPOSURE_EV
            for other in group
        )
    )
