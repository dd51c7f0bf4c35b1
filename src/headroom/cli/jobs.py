"""Which file becomes which: inputs and folders in, a list of jobs out, before any work starts."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headroom.errors import UsageError
from headroom.io import sdr
from headroom.io.formats import FORMATS, output_format

PHOTO_SUFFIXES = frozenset(
    suffix for container in FORMATS.values() if container.reads in {"photo", "either"} for suffix in container.suffixes
)
"""What is picked up from a folder; a file that is named is tried whatever it is called."""

HDR_SUFFIXES = frozenset(
    suffix for container in FORMATS.values() if container.writes_hdr for suffix in container.suffixes
)
"""What makes `--out` a file's name."""

FOLDER_FORMAT = "ultra-hdr"
"""What is written to a folder when no format is asked for."""


@dataclass(frozen=True, slots=True)
class Job:
    """One photo to expand or enhance, or one bracket to merge.

    Attributes:
        source: The photo, or the first frame.
        target: The file to write.
        preview: The tone-mapped picture to write beside it, or None.
        further: The bracket's further frames.
    """

    source: Path
    target: Path
    preview: Path | None
    further: tuple[Path, ...] = ()

    @property
    def sources(self) -> list[Path]:
        """Every file that the job reads."""
        return [self.source, *self.further]

    @property
    def files(self) -> list[Path]:
        """Every file that the job writes."""
        return [path for path in (self.target, self.preview) if path]

    @property
    def existing(self) -> Path | None:
        """A file that the job would replace, or None."""
        return next((path for path in self.files if path.exists()), None)


@dataclass(frozen=True, slots=True)
class Drawing(Job):
    """One picture to draw, of nothing; its source is its own name.

    Attributes:
        seed: That it is drawn by.
    """

    seed: int = 0

    @property
    def sources(self) -> list[Path]:
        """No file at all."""
        return []


def plan(inputs: Sequence[Path], out: Path, *, format_name: str | None, preview: bool) -> list[Job]:
    """List the jobs of one call; no two of them write the same file, and none writes an input.

    `out` is a file when there is one input file and `out` has a suffix; otherwise it is a folder, in which the
    structure of the input folders is kept.

    Raises:
        UsageError: The inputs, `out` and the format do not fit together.
    """
    if _is_one_file(inputs, out):
        jobs = [job_of([inputs[0]], checked_file(out, format_name), preview=preview)]
    else:
        suffix = suffix_in_folder(out, format_name)
        jobs = _jobs_in_folder(inputs, out, lambda _source: suffix, preview=preview)
    check_inputs_stay(jobs)
    return jobs


def plan_photos(inputs: Sequence[Path], out: Path, *, format_name: str | None) -> list[Job]:
    """List the jobs of a call that makes photos of photos, as `plan` does; in a folder each keeps its format.

    Raises:
        UsageError: The inputs, `out` and the format do not fit together.
    """
    if _is_one_file(inputs, out):
        jobs = [job_of([inputs[0]], _checked_photo(out, format_name), preview=False)]
    else:
        _check_folder(out, PHOTO_SUFFIXES)
        suffix = FORMATS[sdr.format_of(out, format_name)].suffixes[0] if format_name else None
        jobs = _jobs_in_folder(inputs, out, lambda source: suffix or sdr.suffix_like(source), preview=False)
    check_inputs_stay(jobs)
    return jobs


def plan_drawings(
    out: Path, seeds: Sequence[int], *, format_name: str | None, is_hdr: bool, preview: bool
) -> list[Drawing]:
    """List the jobs of a call that draws pictures; where there are many, each has its seed in its name.

    Raises:
        UsageError: `out`, the format and a preview do not fit what is drawn.
    """
    if preview and not is_hdr:
        raise UsageError("what is drawn is for any screen, so it has no preview. Leave --preview out.")
    target = (checked_file if is_hdr else _checked_photo)(out, format_name)
    several = len(seeds) > 1
    names = [target.with_name(f"{out.stem}-{seed}{out.suffix}") if several else target for seed in seeds]
    plain = [job_of([name], name, preview=preview) for name in names]
    return [Drawing(job.source, job.target, job.preview, seed=seed) for job, seed in zip(plain, seeds, strict=True)]


def _checked_photo(out: Path, format_name: str | None) -> Path:
    """Return the name of a photo after checking that its suffix fits the format."""
    container = FORMATS[sdr.format_of(out, format_name)]
    if out.suffix.lower() not in container.suffixes:
        raise UsageError(
            f"{out}: {container.title} is written to {container.suffixes[0]} files. Change --out or --format."
        )
    return out


def _is_one_file(inputs: Sequence[Path], out: Path) -> bool:
    return len(inputs) == 1 and not inputs[0].is_dir() and bool(out.suffix) and not out.is_dir()


def check_inputs_stay(jobs: Sequence[Job]) -> None:
    """See that no job writes what another one reads.

    Raises:
        UsageError: One does.
    """
    sources = {source.resolve() for job in jobs for source in job.sources}
    for path in (path for job in jobs for path in job.files):
        if path.resolve() in sources:
            raise UsageError(f"{path}: is an input and would be replaced. Give another --out.")


def suffix_in_folder(out: Path, format_name: str | None) -> str:
    """Give the suffix of results in the folder `out`.

    Raises:
        UsageError: `out` is a file or looks like one, or there is no such format.
    """
    _check_folder(out, HDR_SUFFIXES)
    return output_format(out, format_name or FOLDER_FORMAT).suffixes[0]


def _check_folder(out: Path, suffixes_of_files: frozenset[str]) -> None:
    if not out.is_dir() and (out.exists() or out.suffix.lower() in suffixes_of_files):
        raise UsageError(f"{out}: names one file, but several results need a folder. Give a folder as --out.")


def checked_file(out: Path, format_name: str | None) -> Path:
    """Return the name of a result after checking that its suffix fits the format.

    Raises:
        UsageError: It does not.
    """
    container = output_format(out, format_name)
    if out.suffix.lower() not in container.suffixes:
        raise UsageError(
            f"{out}: {container.title} is written to {container.suffixes[0]} files. Change --out or --format."
        )
    return out


def job_of(sources: Sequence[Path], target: Path, *, preview: bool) -> Job:
    """Make the job that reads `sources` and writes `target`."""
    beside = target.with_name(f"{target.stem}.preview.jpg") if preview else None
    return Job(sources[0], target, beside, tuple(sources[1:]))


def _jobs_in_folder(inputs: Sequence[Path], out: Path, suffix_of: Callable[[Path], str], *, preview: bool) -> list[Job]:
    """Name outputs after their inputs, with longer names for those that would meet."""
    # A photo that is given twice, by name and by its folder, is one photo.
    found = {os.path.abspath(source): (source, relative) for source, relative in _find(inputs, out)}  # noqa: PTH100
    if not found:
        raise UsageError(
            f"{', '.join(map(str, inputs))}: no photos. Headroom reads {', '.join(sorted(PHOTO_SUFFIXES))}."
        )
    common = os.path.commonpath([Path(path).parent for path in found])
    # From short to long: the stem, the whole file name, the whole path; the last is different for every photo.
    names = [
        (
            relative.with_suffix(suffix),
            relative.with_name(relative.name + suffix),
            Path(path + suffix).relative_to(common),
        )
        for path, (source, relative) in found.items()
        for suffix in [suffix_of(source)]
    ]
    length = [0] * len(names)
    while True:
        jobs = [
            job_of([source], out / choices[chosen], preview=preview)
            for (source, _), choices, chosen in zip(found.values(), names, length, strict=True)
        ]
        claims = Counter(key for job in jobs for key in _claims(job))
        meeting = [i for i, job in enumerate(jobs) if length[i] < 2 and any(claims[key] > 1 for key in _claims(job))]
        if not meeting:
            return jobs
        for i in meeting:
            length[i] += 1


def _claims(job: Job) -> list[str]:
    """Return the files of a job as a file system sees them that ignores case and composes accents."""
    return [unicodedata.normalize("NFC", str(path)).casefold() for path in job.files]


def _find(inputs: Sequence[Path], out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield every photo and its path below the folder that was given; hidden files and `out` are passed over."""
    for given in inputs:
        if not given.is_dir():
            yield given, Path(given.name)
            continue
        for folder, subfolders, files in os.walk(given):
            here = Path(folder)
            subfolders[:] = sorted(name for name in subfolders if name[0] != "." and not _same(here / name, out))
            for name in sorted(files):
                if name[0] != "." and Path(name).suffix.lower() in PHOTO_SUFFIXES:
                    yield here / name, (here / name).relative_to(given)


def _same(left: Path, right: Path) -> bool:
    return right.exists() and left.samefile(right)
