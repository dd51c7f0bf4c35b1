"""`headroom weights`: what ships, where it lies, and whether it is intact."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from headroom.cli.console import say, show_json, show_table
from headroom.errors import WeightsError

app = typer.Typer(help="List, locate and verify weights.", no_args_is_help=True)


@app.command("list")
def list_weights(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per weights file.")] = False,
) -> None:
    """List the weights that ship, with their licences."""
    from headroom.weights.catalogue import records

    known = records().values()
    if json:
        for record in known:
            show_json(asdict(record))
        return
    show_table(
        [("NAME", "METHOD", "PRESET", "MB", "LICENCE", "COMMERCIAL USE")]
        + [
            (r.name, r.method, r.preset, f"{r.size_bytes / 1e6:.1f}", r.licence, "yes" if r.commercial else "no")
            for r in known
        ]
    )


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Catalogue names; all when none is given.")] = None,
) -> None:
    """Compare weights with the SHA-256 of the catalogue."""
    from headroom.weights.catalogue import records
    from headroom.weights.catalogue import verify as verify_weights

    damaged = 0
    for name in names or records():
        try:
            verify_weights(name)
        except WeightsError as error:
            damaged += 1
            say(f"error: {error}")
        else:
            print(f"{name}: intact")
    if damaged:
        raise typer.Exit(WeightsError.exit_code)


@app.command()
def path(name: Annotated[str, typer.Argument(help="Catalogue name.")]) -> None:
    """Print where weights lie."""
    from headroom.weights.catalogue import local_path

    print(local_path(name))
