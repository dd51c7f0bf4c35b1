"""`headroom data`: checks training data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from headroom.cli.console import printable, say, show_json

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Check training data."""


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
