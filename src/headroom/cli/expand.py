"""`headroom expand`: photos in, HDR files out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headroom.cli.console import progress_bar, say, show_json
from headroom.errors import HeadroomError, InputError, InsufficientMemory, OutputError, UsageError

if TYPE_CHECKING:
    from headroom.cli.batch import Job


@dataclass(frozen=True, slots=True)
class Settings:
    """How every photo of one call is expanded; the words are those of `headroom.expand`."""

    method: str
    preset: str | None
    max_headroom_stops: float | None
    exposure_ev: float
    seed: int
    format: str | None


def expand(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT", help="Photos, or folders of photos.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="PATH", help="A file for one photo (its suffix is the format), else a folder."
        ),
    ],
    method: Annotated[
        str, typer.Option(metavar="NAME", help="What fills in the clipped pixels; see `headroom methods`.")
    ] = "hybrid_ae",
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Size of the method.")] = None,
    format: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option(metavar="FORMAT", help="ultra-hdr, exr, hdr, pfm or tiff; the first is a folder's default."),
    ] = None,
    max_headroom: Annotated[
        float | None, typer.Option(min=0.0, metavar="STOPS", help="Brightest result, in stops above SDR white.")
    ] = None,
    exposure: Annotated[float, typer.Option(metavar="EV", help="Brighten the whole result by this many stops.")] = 0.0,
    preview: Annotated[bool, typer.Option("--preview", help="Also write a tone-mapped NAME.preview.jpg.")] = False,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of methods that draw random numbers.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace outputs that exist already.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per photo.")] = False,
) -> None:
    """Turn photos into HDR files.

    Measured pixels stay as they are; clipped ones are filled in.

    Paths of finished files go to stdout. An existing file is never replaced without --force: it is an error for one
    photo, and skipped in a folder, so that an interrupted batch goes on where it stopped. A photo that cannot be used
    costs one line on stderr; the others are done and the exit code is 1.
    """
    from headroom.cli.batch import plan

    settings = Settings(method, preset, max_headroom, exposure, seed, format)
    jobs = plan(inputs, out, format_name=format, preview=preview)
    todo = jobs if force else [job for job in jobs if not job.existing]
    if len(jobs) == 1 and not todo:
        raise UsageError(f"{jobs[0].existing}: exists already. Add --force to replace it.")
    if skipped := len(jobs) - len(todo):
        say(f"{skipped} of {len(jobs)} exist already and are skipped; --force replaces them")
    failures = []
    for record in run_all(todo, settings):
        if json:
            show_json(record)
        elif record["status"] == "done":
            print(record["output"], flush=True)
        if record["status"] == "failed":
            failures.append(record["exit_code"])
    if failures:
        say(f"{len(failures)} of {len(todo)} failed")
        raise typer.Exit(failures[0] if len(jobs) == 1 else 1)


def run_all(jobs: Sequence[Job], settings: Settings) -> Iterator[dict[str, Any]]:
    """Expand one photo after the other; yield a JSON-ready record of each, and talk about it on stderr."""
    with progress_bar() as display:
        task = display.add_task("", total=len(jobs))
        for number, job in enumerate(jobs):

            def report(share: float, number: int = number) -> None:
                display.update(task, completed=number + share)

            display.update(task, description=job.source.name, completed=number)
            try:
                record = run_one(job, settings, report)
            except (InputError, InsufficientMemory) as error:
                record = _failure(job, str(error), error.exit_code)
            except HeadroomError:
                raise  # every other photo would meet it too
            except Exception as error:
                if len(jobs) == 1:
                    raise
                record = _failure(job, f"{type(error).__name__}: {error} (a defect of Headroom)", 1)
            except KeyboardInterrupt:
                say(f"interrupted; {number} of {len(jobs)} are done and kept")
                raise
            for warning in record["warnings"]:
                say(f"warning: {job.source}: {warning}")
            yield record


def _failure(job: Job, problem: str, exit_code: int) -> dict[str, Any]:
    message = problem if str(job.source) in problem else f"{job.source}: {problem}"
    say(f"error: {message}")
    return {"status": "failed", "input": str(job.source), "error": message, "exit_code": exit_code, "warnings": []}


def run_one(job: Job, settings: Settings, progress: Callable[[float], None]) -> dict[str, Any]:
    """Expand one photo and write its files, the main one last, so that its presence means that all is done."""
    from headroom import expand, read_photo, write_hdr, write_preview
    from headroom.cli.report import expansion_facts

    started = time.perf_counter()
    make_folder(job.target.parent)
    photo = read_photo(job.source)
    hdr = expand(
        photo,
        method=settings.method,
        preset=settings.preset,
        max_headroom_stops=settings.max_headroom_stops,
        exposure_ev=settings.exposure_ev,
        seed=settings.seed,
        progress=progress,
    )
    if job.preview:
        write_preview(hdr, job.preview)
    write_hdr(hdr, job.target, format=settings.format)
    return {
        "status": "done",
        "input": str(job.source),
        "output": str(job.target),
        "preview": str(job.preview) if job.preview else None,
        "seconds": round(time.perf_counter() - started, 3),
        **expansion_facts(hdr),
    }


def make_folder(folder: Path) -> None:
    """Make a folder for results, with its parents.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}). Give another --out.") from error
