"""`headroom data`: checks training data and makes brackets of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from headroom.cli.console import printable, progress_bar, say, show_json

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Check training data, and make brackets of it."""


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="Folder of HDR panoramas.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per file.")] = False,
) -> None:
    """Check a folder of panoramas.

    Says which files can be used, and what is wrong with the others; the exit code is 1 when there are any.
    """
    from headroom.data.check import check_panoramas

    reports = check_panoramas(folder)
    for report in reports:
        if json:
            show_json(asdict(report))
        else:
            verdict = " ".join(report.problems) or f"usable, {report.width_px} px wide, {report.stops:.1f} stops"
            print(printable(f"{report.path.name}: {verdict}"))
    unusable = sum(bool(report.problems) for report in reports)
    say(f"{len(reports) - unusable} of {len(reports)} panoramas can be used")
    if unusable:
        raise typer.Exit(1)


@app.command()
def brackets(
    folder: Annotated[Path, typer.Argument(help="Folder of HDR panoramas.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="New folder of the brackets.")],
    count: Annotated[int, typer.Option(min=1, metavar="N", help="Number of brackets.")] = 22,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of all that is random.")] = 0,
) -> None:
    """Make brackets of moving scenes, with their truth.

    A camera in a hand takes three exposures of panoramas of the val split, before which things move. `headroom bench`
    calls the result brackets:DIR.
    """
    from headroom.data.brackets_files import write_validation

    with progress_bar() as display:
        task = display.add_task("brackets", total=count)
        for _ in write_validation(folder, out, count=count, seed=seed):
            display.update(task, advance=1)
    print(out)
