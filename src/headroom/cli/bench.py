"""`headroom bench`: compares methods; `infer` writes results and `score` reads them."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from headroom.cli import bench_metrics, bench_score, bench_study, bench_table
from headroom.cli.console import progress_bar, say, show_json, show_table
from headroom.cli.dataset_argument import DATASET_HELP


class Mask(StrEnum):
    """Where content is made up."""

    NONE = "none"
    AUTO = "auto"


app = typer.Typer(no_args_is_help=True)
app.command("score")(bench_score.score)
app.command("table")(bench_table.table)
app.command("study")(bench_study.study)
app.command("metrics")(bench_metrics.metrics)


@app.callback()
def _group() -> None:
    """Compare methods with the truth."""


@app.command()
def infer(
    method: Annotated[
        str, typer.Argument(help="Method to run; see `headroom methods`. Of enhance data sets also input, the photo.")
    ],
    dataset: Annotated[str, typer.Argument(help=DATASET_HELP)],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the results.")],
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Size of the method.")] = None,
    weights: Annotated[Path | None, typer.Option(metavar="FILE", help="Weights, not those that ship.")] = None,
    mask: Annotated[Mask, typer.Option(help="Where enhance methods make content up.")] = Mask.NONE,
    steps: Annotated[int | None, typer.Option(min=1, max=1000, metavar="N", help="Steps in which they do.")] = None,
) -> None:
    """Run a method over a data set.

    Each result is DIR/NAME.exr, of enhanced photos DIR/NAME.png; DIR/run.json says how they were made and how long it
    took. Results that exist are skipped, so that an interrupted run goes on when the same line is typed again.
    """
    from headroom.benchmark.datasets import open_dataset
    from headroom.benchmark.infer import infer as run
    from headroom.benchmark.making import choose_way
    from headroom.cli.heap import keep_freed_memory

    keep_freed_memory()
    way = choose_way(method, preset, weights, mask=mask.value, steps=steps)
    items = open_dataset(dataset)
    count: Counter[str] = Counter()
    with progress_bar() as display:
        task = display.add_task(method, total=len(items))
        for result in run(way, items, out, dataset=dataset):
            count[result.status] += 1
            if result.error:
                say(f"error: {result.name}: {result.error}")
            display.update(task, advance=1)
    say(f"{count['done']} done, {count['exists']} existed, {count['failed']} failed")
    print(out)
    if count["failed"]:
        raise typer.Exit(1)


@app.command()
def datasets(
    dataset: Annotated[str | None, typer.Argument(help="One of them, with its folder, to check.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per data set.")] = False,
) -> None:
    """List the data sets, or check one.

    The check says what is missing, or how many items there are and the hash of their names and their files' names and
    sizes; where two people see the same hash, they compare on the same split.
    """
    from headroom.benchmark.datasets import KINDS, open_dataset
    from headroom.benchmark.split import split_sha256

    if dataset is None:
        records = [{"dataset": kind.words, "verb": kind.verb, "holds": kind.holds} for kind in KINDS]
    else:
        items = open_dataset(dataset)
        records = [{"dataset": dataset, "items": str(len(items)), "split_sha256": split_sha256(items)}]
    if json:
        for record in records:
            show_json(record)
    else:
        show_table([[name.upper() for name in records[0]], *(list(record.values()) for record in records)])
