"""Working through jobs, one after the other: a bad photo costs one line, never the batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from headroom import expand, read_photo, write_hdr, write_preview
from headroom.cli.console import progress_bar, say, show_json
from headroom.cli.heap import keep_freed_memory
from headroom.cli.report import expansion_facts
from headroom.errors import HeadroomError, InputError, InsufficientMemory, UsageError
from headroom.files import make_folder
from headroom.io.exposure import EXPOSURE_FILE
from headroom.io.gps import without_gps

if TYPE_CHECKING:
    from headroom.cli.jobs import Job
    from headroom.image import Hdr
    from headroom.methods.contract import Progress
    from headroom.restore.video import Steady

    SomeJob = TypeVar("SomeJob", bound=Job)


@dataclass(frozen=True, slots=True)
class Settings:
    """How every photo of one call is expanded; the words are those of `headroom.expand` and `headroom.write_hdr`."""

    method: str
    preset: str | None
    weights: Path | None
    max_headroom_stops: float | None
    exposure_ev: float
    seed: int
    ignore_gain_map: bool
    panorama: bool
    strip_gps: bool
    format: str | None
    steady: Steady | None = None


def run(
    jobs: Sequence[SomeJob], work: Callable[[SomeJob, Progress], dict[str, Any]], *, force: bool, json: bool
) -> None:
    """Do what is not done yet, print what came of it on stdout, and leave with the exit code if something failed.

    Args:
        jobs: What there is to do.
        work: Does a job, tells of it on stderr, and returns its facts, ready for JSON.
        force: Whether results that exist are replaced.
        json: Whether stdout has an object of each job instead of the names of files.

    Raises:
        UsageError: The only result exists already, and `force` is not given.
        HeadroomError: Something that every other job would meet too.
    """
    keep_freed_memory()
    todo = jobs if force else [job for job in jobs if not job.existing]
    if len(jobs) == 1 and not todo:
        raise UsageError(f"{jobs[0].existing}: exists already. Add --force to replace it.")
    if skipped := len(jobs) - len(todo):
        say(f"{skipped} of {len(jobs)} exist already and are skipped; --force replaces them")
    failures = []
    for record in _records(todo, work):
        if record["status"] == "failed":
            failures.append(record["exit_code"])
        if json:
            show_json(record)
        elif record["status"] == "done":
            print(*record["outputs"], sep="\n", flush=True)
    if failures:
        say(f"{len(failures)} of {len(todo)} failed")
        raise typer.Exit(failures[0] if len(jobs) == 1 else 1)


def _records(jobs: Sequence[SomeJob], work: Callable[[SomeJob, Progress], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Do every job; yield a JSON-ready record of each."""
    with progress_bar() as display:
        task = display.add_task("", total=len(jobs))
        for number, job in enumerate(jobs):

            def report(share: float, number: int = number) -> None:
                display.update(task, completed=number + share)

            display.update(task, description=job.source.name, completed=number)
            try:
                started = time.perf_counter()
                facts = work(job, report)
                record = {"status": "done", **_inputs(job), "outputs": [str(path) for path in job.files]}
                record |= {"seconds": round(time.perf_counter() - started, 3), **facts}
            except (InputError, InsufficientMemory) as error:
                record = _failure(job, str(error), error.exit_code)
            except HeadroomError:
                raise
            except Exception as error:
                if len(jobs) == 1:
                    raise
                record = _failure(job, f"{type(error).__name__}: {error} (a defect of Headroom)", 1)
            yield record


def expand_one(
    job: Job, progress: Progress, settings: Settings, measure: Callable[[Hdr], dict[str, Any]] = lambda _hdr: {}
) -> dict[str, Any]:
    """Expand one photo and write its files, the main one last, so that its presence means that all is done.

    Args:
        job: What to do.
        progress: Told the finished share.
        settings: How.
        measure: Gives further facts about the result.
    """
    make_folder(job.target.parent)
    photo = read_photo(job.source)
    hdr = expand(
        without_gps(photo) if settings.strip_gps else photo,
        method=settings.method,
        preset=settings.preset,
        weights=settings.weights,
        max_headroom_stops=settings.max_headroom_stops,
        exposure_ev=settings.exposure_ev,
        seed=settings.seed,
        use_gain_map=not settings.ignore_gain_map,
        panorama=settings.panorama,
        steady=settings.steady,
        progress=progress,
    )
    if job.preview:
        write_preview(hdr, job.preview)
    left_out = write_hdr(hdr, job.target, format=settings.format)
    facts = {**expansion_facts(hdr), **measure(hdr)}
    facts["warnings"] += left_out
    if facts["gain_map"].startswith("used"):
        say(f"{job.source}: its own gain map is {facts['gain_map']}")
    for warning in facts["warnings"]:
        say(f"warning: {job.source}: {warning}")
    return facts


def _inputs(job: Job) -> dict[str, Any]:
    """Name what a job reads: one photo, the frames of a bracket, or nothing."""
    if not job.sources:
        return {}
    return {"inputs": [str(path) for path in job.sources]} if job.further else {"input": str(job.source)}


def _failure(job: Job, problem: str, exit_code: int) -> dict[str, Any]:
    named = any(name in problem for name in (EXPOSURE_FILE, *(source.name for source in job.sources)))
    message = problem if named else f"{job.source}: {problem}"
    say(f"error: {message}")
    return {"status": "failed", **_inputs(job), "error": message, "exit_code": exit_code}
