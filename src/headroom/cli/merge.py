"""`headroom merge`: brackets in, HDR files out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from headroom.cli.console import say
from headroom.cli.options import Force, HdrFormat, Preset, Preview, Seed, StripGps, Weights
from headroom.errors import UsageError
from headroom.methods import MERGES_BY_DEFAULT

if TYPE_CHECKING:
    from headroom.cli.jobs import Job
    from headroom.image import Bracket, TransferName
    from headroom.methods.contract import Progress


@dataclass(frozen=True, slots=True)
class Settings:
    """How every bracket of one call is merged; the words are those of `headroom.merge` and `headroom.Bracket`."""

    exposures_ev: tuple[float, ...] | None
    reference: str | None
    curve: str | None
    method: str
    preset: str | None
    weights: Path | None
    align: bool
    predicted: bool
    seed: int
    strip_gps: bool
    format: str | None


def merge(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT", help="The frames of a bracket, or a folder that holds them.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="PATH", help="A file for one bracket (its suffix is the format), else a folder."
        ),
    ],
    auto: Annotated[
        bool, typer.Option("--auto", help="Part a folder into brackets by time, camera and exposure.")
    ] = False,
    ev: Annotated[
        str | None,
        typer.Option(metavar="EV,EV,...", help="Exposures of the frames, in their order; only differences matter."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(metavar="N|NAME", help="Frame whose framing and brightness the result has, by name or from 0."),
    ] = None,
    curve: Annotated[
        str | None, typer.Option(metavar="NAME", help="Curve of all frames, such as srgb, gamma22 or linear.")
    ] = None,
    method: Annotated[
        str, typer.Option(metavar="NAME", help="What decides where frames disagree; see `headroom methods`.")
    ] = MERGES_BY_DEFAULT,
    preset: Preset = None,
    weights: Weights = None,
    align: Annotated[bool, typer.Option("--align/--no-align", help="Fit the frames to the reference.")] = True,
    predicted: Annotated[
        bool, typer.Option("--predicted", help="Write what the method alone says, measured or not; for comparisons.")
    ] = False,
    format: HdrFormat = None,  # noqa: A002 - the option's name
    preview: Preview = False,
    seed: Seed = 0,
    strip_gps: StripGps = False,
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per bracket.")] = False,
) -> None:
    """Merge brackets, hand-held and moving, into HDR files.

    The result shows what the reference frame saw. Its pixels are those of the frames that agree; where they do not,
    the method decides. Exposures come from --ev, an exposure.txt beside the frames, or EXIF; what is missing is
    estimated. A frame that doesn't belong is left out.

    Paths of finished files go to stdout; the reference, exposures, warnings and rejected frames to stderr. An existing
    file is never replaced without --force: it is an error for one bracket, and skipped with --auto.
    """
    from headroom.cli.batch import run
    from headroom.cli.brackets import plan_brackets

    if auto and (ev is not None or reference is not None):
        raise UsageError(
            "--ev and --reference speak of one bracket's frames, --auto finds many. Leave it out, or them."
        )
    settings = Settings(
        _exposures(ev), reference, _checked(curve), method, preset, weights, align, predicted, seed, strip_gps, format
    )
    jobs = plan_brackets(inputs, out, auto=auto, format_name=format, preview=preview)
    run(jobs, partial(_merge_one, settings=settings), force=force, json=json)


def _exposures(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        values = tuple(float(value) for value in text.split(","))
    except ValueError:
        values = (math.nan,)
    if not all(map(math.isfinite, values)):
        raise UsageError(f"--ev {text}: is no list of numbers. Give one for each frame, such as -2,0,2.")
    return values


def _checked(curve: str | None) -> str | None:
    from headroom.image import TransferName

    names = [name for name in get_args(TransferName) if name not in {"pq", "hlg"}]
    if curve is not None and curve not in names:
        raise UsageError(f"--curve {curve}: is not known. Choose one of {', '.join(names)}.")
    return curve


def _merge_one(job: Job, progress: Progress, settings: Settings) -> dict[str, Any]:
    """Merge one bracket and write its files, the main one last, so that its presence means that all is done."""
    from headroom import merge, write_hdr, write_preview
    from headroom.cli.report import light_facts, recovered_facts
    from headroom.files import make_folder
    from headroom.io.unread import unread

    make_folder(job.target.parent)
    bracket = _bracket(job, settings)
    hdr = merge(
        bracket,
        method=settings.method,
        preset=settings.preset,
        weights=settings.weights,
        align=settings.align,
        predicted=settings.predicted,
        seed=settings.seed,
        progress=progress,
    )
    if job.preview:
        write_preview(hdr, job.preview)
    left_out = write_hdr(hdr, job.target, format=settings.format)
    facts = {**light_facts(hdr.pixels), **recovered_facts(hdr), **hdr.provenance}
    facts["warnings"] += [f"{frame.source}: {note}" for frame in bracket.frames for note in unread(frame)]
    facts["warnings"] += left_out
    _tell(job, facts)
    return facts


def _bracket(job: Job, settings: Settings) -> Bracket:
    """Read the frames and note what the user knows better than the files."""
    from headroom.image import Encoding
    from headroom.io.bracket import read_bracket
    from headroom.io.gps import without_gps

    bracket = read_bracket(job.sources, settings.exposures_ev)
    if settings.strip_gps:
        bracket = replace(bracket, frames=tuple(map(without_gps, bracket.frames)))
    if settings.curve:
        encoding = Encoding(bracket.frames[0].encoding.primaries, cast("TransferName", settings.curve))
        bracket = replace(bracket, encoding=encoding)
    if settings.reference is not None:
        bracket = replace(bracket, reference=_index(job.sources, settings.reference))
    return bracket


def _index(frames: Sequence[Path], reference: str) -> int:
    """Find a frame by its name, with or without its suffix, or by its number."""
    for i, path in enumerate(frames):
        if reference in {path.name, path.stem, str(path)}:
            return i
    if reference.isdecimal() and int(reference) < len(frames):
        return int(reference)
    names = ", ".join(path.name for path in frames)
    raise UsageError(f"--reference {reference}: is none of {names}. Give one of them, or its number from 0.")


def _tell(job: Job, facts: Mapping[str, Any]) -> None:
    """Say which frame became the reference, and what a person should know."""
    exposures = ", ".join(
        f"{name} {ev:+.1f} EV" for name, ev in zip(facts["frames"], facts["exposures_ev"], strict=True)
    )
    say(f"{job.target}: seen from {facts['reference']}; {exposures}")
    for warning in facts["warnings"]:
        say(f"warning: {warning}")
    for name, reason in facts["rejected"].items():
        say(f"warning: {name}: is left out, because {reason}")
