"""Which files make which bracket, and what becomes of each: a list of jobs, before any work starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from headroom.cli.console import say
from headroom.cli.jobs import PHOTO_SUFFIXES, Job, check_inputs_stay, checked_file, job_of, suffix_in_folder
from headroom.errors import InputError, UsageError
from headroom.io.bracket import LONGEST_PAUSE_S, group_folder


def plan_brackets(
    inputs: Sequence[Path], out: Path, *, auto: bool, format_name: str | None, preview: bool
) -> list[Job]:
    """List the jobs of one call: files, or a folder of them, make one bracket; with `auto` a folder holds many.

    `out` is a file when there is one bracket and `out` has a suffix; otherwise it is a folder, in which results are
    called after the first and the last frame.

    Raises:
        UsageError: The inputs, `out` and the format do not fit together.
        InputError: A folder is missing, or holds no photo or no bracket.
    """
    if not auto and out.suffix and not out.is_dir():
        jobs = [job_of(_frames(inputs), checked_file(out, format_name), preview=preview)]
    else:
        suffix = suffix_in_folder(out, format_name)
        groups = _brackets_in(inputs) if auto else [_frames(inputs)]
        named = zip(groups, _names(groups, suffix), strict=True)
        jobs = [job_of(group, out / name, preview=preview) for group, name in named]
    check_inputs_stay(jobs)
    return jobs


def _frames(inputs: Sequence[Path]) -> Sequence[Path]:
    """Return the files of one bracket."""
    if len(inputs) != 1 or not _is_folder(inputs[0]):
        for path, count in Counter(inputs).items():
            if count > 1:
                raise UsageError(f"{path}: is given twice. Give each frame once.")
        return inputs
    frames = sorted(
        path for path in inputs[0].iterdir() if path.suffix.lower() in PHOTO_SUFFIXES and path.name[0] != "."
    )
    if not frames:
        raise InputError(f"{inputs[0]}: holds no photo. Give a folder with the frames of a bracket.")
    return frames


def _is_folder(path: Path) -> bool:
    """Tell a folder from a file.

    Raises:
        InputError: There is neither.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder. Check the name.")
    return path.is_dir()


def _brackets_in(folders: Sequence[Path]) -> list[list[Path]]:
    """Part folders into brackets; photos that belong to none are counted and passed over."""
    for path in folders:
        if not _is_folder(path):
            raise UsageError(f"{path}: is no folder, and --auto parts folders into brackets. Leave --auto out.")
    groups = [group for folder in folders for group in group_folder(folder)]
    brackets = [group for group in groups if len(group) > 1]
    if not brackets:
        named = ", ".join(map(str, folders))
        raise InputError(
            f"{named}: no two photos of one camera follow each other within {LONGEST_PAUSE_S:.0f} s at different "
            "exposures. Name the files of each bracket instead."
        )
    if alone := len(groups) - len(brackets):
        say(f"{alone} photos belong to no bracket and are passed over")
    return brackets


def _names(groups: Sequence[Sequence[Path]], suffix: str) -> list[str]:
    """Call results after the stems of the first and the last frame, or after their full names where stems meet."""
    short = [f"{group[0].stem}-{group[-1].stem}{suffix}" for group in groups]
    claims = Counter(name.casefold() for name in short)
    return [
        name if claims[name.casefold()] == 1 else f"{group[0].name}-{group[-1].name}{suffix}"
        for name, group in zip(short, groups, strict=True)
    ]
