"""`headroom bench score`: compares results with the truth, and keeps the numbers beside the results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headroom.cli.console import progress_bar, say, show_json, show_table
from headroom.cli.dataset_argument import DATASET_HELP

if TYPE_CHECKING:
    from headroom.benchmark.score import Scored
    from headroom.benchmark.scores_file import Scores

MODELS_HELP = "Folder of the models that some metrics need; `headroom bench metrics` says which."
_PLACES = {"dB": 2, "": 4}
"""Decimal places by unit."""


def score(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", exists=True, file_okay=False, help="Folders of results, of any tool."),
    ],
    dataset: Annotated[str, typer.Argument(help=DATASET_HELP)],
    metrics: Annotated[str, typer.Option(metavar="ID,ID...", help="Metrics; see `headroom bench metrics`.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All metrics that work here.")] = False,
    models: Annotated[Path | None, typer.Option(metavar="DIR", exists=True, file_okay=False, help=MODELS_HELP)] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="DIR", exists=True, file_okay=False, help="Enhanced photos that the results refine."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per image and per folder.")] = False,
) -> None:
    """Score folders of results.

    A result is DIR/NAME.exr, .hdr, .pfm or .tif in linear light, or .avif, .jxl or .png in PQ or HLG; SDR pictures are
    taken by metrics of codes that need no truth, and as results of photos to enhance, which are nothing else. With
    --against, known-change says how much refining changed where it should not have.

    The numbers of each image, their means and the worst of them are written to DIR/scores.json; the same folder gives
    the same bytes. Printed are the means; P90 and WORST belong to the first metric: nine images in ten are at least as
    good as P90.

    A result that is missing or damaged is left out of the means, costs one line on stderr, and the exit code is 1.
    """
    from headroom.benchmark.datasets import open_dataset
    from headroom.benchmark.measure import Meter
    from headroom.benchmark.run_file import read_run
    from headroom.benchmark.score import choose_metrics
    from headroom.benchmark.score import score as run
    from headroom.benchmark.scores_file import write_scores
    from headroom.benchmark.split import split_sha256
    from headroom.benchmark.summary import summarise

    items = open_dataset(dataset)
    chosen = choose_metrics(items, [word.strip() for word in metrics.split(",") if word], models, everything=everything)
    folders = list(dict.fromkeys(folders))
    runs = {folder: read_run(folder) for folder in folders}
    scored: dict[Path, list[Scored]] = {folder: [] for folder in folders}
    with progress_bar() as display:
        task = display.add_task("scoring", total=len(items) * len(folders))
        for result in run(folders, items, Meter(chosen, models), against=against):
            scored[result.folder].append(result)
            if result.error:
                say(f"error: {result.error}")
            display.update(task, advance=1)
    split = split_sha256(items)
    found = {folder: summarise(scored[folder], chosen, dataset, split, runs[folder]) for folder in folders}
    if json:
        for folder, scores in found.items():
            _show_json(folder, scores, len(items))
    else:
        _show_table(found, len(items))
    for folder, scores in found.items():
        write_scores(folder, scores)
    if any(scores.errors for scores in found.values()):
        raise typer.Exit(1)


def _show_json(folder: Path, scores: Scores, images: int) -> None:
    for name in sorted({*scores.images, *scores.errors}):
        values: dict[str, Any] = dict(scores.images.get(name, {}))
        if name in scores.errors:
            values["error"] = scores.errors[name]
        status = "scored" if name in scores.images else "failed"
        show_json({"results": str(folder), "image": name, "status": status, **values})
    totals = {"mean": scores.mean, "p90": scores.p90, "worst": scores.worst}
    counts = {"images": images, "scored": len(scores.images)}
    show_json({"results": str(folder), "status": "summary", **counts, **totals})


def _show_table(found: dict[Path, Scores], images: int) -> None:
    """Print a row for each folder; a column that only others have is empty."""
    metrics = {name: header for scores in found.values() for name, header in scores.metrics.items()}
    columns = [(name, "mean", name.replace("_", "-").upper()) for name in metrics]
    columns[1:1] = [(columns[0][0], part, part.upper()) for part in ("p90", "worst")]
    rows = [("RESULTS", "IMAGES", *(heading for _name, _part, heading in columns))]
    for folder, scores in found.items():
        numbers = (_cell(getattr(scores, part).get(name), metrics[name].unit) for name, part, _heading in columns)
        rows.append((str(folder), f"{len(scores.images)}/{images}", *numbers))
    show_table(rows)


def _cell(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:.{_PLACES.get(unit, 3)}f}"
