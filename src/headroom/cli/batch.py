"""Working through jobs, one photo after the other: a bad photo costs one line, never the batch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headroom import expand, read_photo, write_hdr, write_preview
from headroom.cli.console import progress_bar, say
from headroom.cli.report import expansion_facts
from headroom.errors import HeadroomError, InputError, InsufficientMemory
from headroom.files import make_folder
from headroom.io.gps import without_gps

if TYPE_CHECKING:
    from headroom.cli.jobs import Job
    from headroom.restore.expand import Progress


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
    strip_gps: bool
    format: str | None


def run_all(jobs: Sequence[Job], settings: Settings) -> Iterator[dict[str, Any]]:
    """Do every job; yield a JSON-ready record of each, and talk about it on stderr.

    Raises:
        HeadroomError: Something that every other photo would meet too.
    """
    with progress_bar() as display:
        task = display.add_task("", total=len(jobs))
        for number, job in enumerate(jobs):

            def report(share: float, number: int = number) -> None:
                display.update(task, completed=number + share)

            display.update(task, description=job.source.name, completed=number)
            try:
                record = _run(job, settings, report)
            except (InputError, InsufficientMemory) as error:
                record = _failure(job, str(error), error.exit_code)
            except HeadroomError:
                raise
            except Exception as error:
                if len(jobs) == 1:
                    raise
                record = _failure(job, f"{type(error).__name__}: {error} (a defect of Headroom)", 1)
            yield record


def _run(job: Job, settings: Settings, progress: Progress) -> dict[str, Any]:
    """Expand one photo and write its files, the main one last, so that its presence means that all is done."""
    started = time.perf_counter()
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
        progress=progress,
    )
    if job.preview:
        write_preview(hdr, job.preview)
    write_hdr(hdr, job.target, format=settings.format)
    facts = expansion_facts(hdr)
    if facts["gain_map"].startswith("used"):
        say(f"{job.source}: its own gain map is {facts['gain_map']}")
    for warning in facts["warnings"]:
        say(f"warning: {job.source}: {warning}")
    return {
        "status": "done",
        "input": str(job.source),
        "outputs": [str(path) for path in job.files],
        "seconds": round(time.perf_counter() - started, 3),
        **facts,
    }


def _failure(job: Job, problem: str, exit_code: int) -> dict[str, Any]:
    message = problem if str(job.source) in problem else f"{job.source}: {problem}"
    say(f"error: {message}")
    return {"status": "failed", "input": str(job.source), "error": message, "exit_code": exit_code}
