"""`headroom bench score`: reads results and prints how far they are from the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headroom.cli.console import progress_bar, say, show_json, show_table
from headroom.cli.dataset_argument import DATASET_HELP

if TYPE_CHECKING:
    from headroom.benchmark.score import Scored

_PHOTO_COLUMNS = {
    "STOPS": ("stops", 3),
    "P90": ("stops_p90", 3),
    "PU21-PSNR": ("pu21_psnr", 2),
    "CLIPPED": ("pu21_psnr_clipped", 2),
}
_BRACKET_COLUMNS = {
    "PSNR-MU": ("psnr_mu", 2),
    "MASKED": ("psnr_mu_masked", 2),
    "WORST": ("psnr_mu_worst", 2),
    "PSNR-L": ("psnr_l", 2),
    "SSIM-MU": ("ssim_mu", 4),
    "SSIM-L": ("ssim_l", 4),
}
"""Columns of the tables: the name of a mean, and its decimal places."""


def score(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", exists=True, file_okay=False, help="Folders of results, of any tool."),
    ],
    dataset: Annotated[str, typer.Argument(help=DATASET_HELP)],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per image and per folder.")] = False,
) -> None:
    """Score folders of results.

    A result is DIR/NAME.exr, .pfm, .tif or .hdr, in linear light.

    Of photos, in any scale: STOPS is the RMSE of log2 luminance over clipped pixels after one gain, with its 90th
    percentile over the images; PU21-PSNR follows a cubic match of tones, over all and over clipped pixels.

    Of brackets, 1.0 = full scale of the middle frame: PSNR-MU, SSIM-MU and PSNR-L, SSIM-L are those of the field,
    1.0 = clip level of the shortest frame; MASKED is PSNR-MU where something moved or the middle frame is clipped,
    WORST that of the worst image.

    A result that is missing or damaged is left out of the means, costs one line on stderr, and the exit code is 1.
    """
    from headroom.benchmark.datasets import open_dataset
    from headroom.benchmark.score import score as run
    from headroom.data.bracket_sets.scene import BracketScene
    from headroom.metrics.expansion import mean_scores
    from headroom.metrics.merging import mean_merge_scores

    items = open_dataset(dataset)
    scored: list[Scored] = []
    with progress_bar() as display:
        task = display.add_task("scoring", total=len(items) * len(folders))
        for result in run(list(dict.fromkeys(folders)), items):
            scored.append(result)
            if result.error:
                say(f"error: {result.error}")
            if json:
                show_json(_image_record(result))
            display.update(task, advance=1)
    of_brackets = isinstance(items[0], BracketScene)
    mean = mean_merge_scores if of_brackets else mean_scores
    summaries = [
        _summary([result for result in scored if result.folder == folder], mean) for folder in dict.fromkeys(folders)
    ]
    if json:
        for summary in summaries:
            show_json(summary)
    else:
        columns = _BRACKET_COLUMNS if of_brackets else _PHOTO_COLUMNS
        show_table([("RESULTS", "IMAGES", *columns), *(_row(summary, columns) for summary in summaries)])
    if any(result.error for result in scored):
        raise typer.Exit(1)


def _image_record(result: Scored) -> dict[str, Any]:
    record = {"results": str(result.folder), "image": result.name}
    if result.score is None:
        return {**record, "status": "failed", "error": result.error}
    return {**record, "status": "scored", **_json_ready(asdict(result.score))}


def _summary(scored: list[Scored], mean: Callable[[list[Any]], dict[str, float]]) -> dict[str, Any]:
    scores = [result.score for result in scored if result.score]
    return {
        "results": str(scored[0].folder),
        "status": "summary",
        "images": len(scored),
        "scored": len(scores),
        **_json_ready(mean(scores)),
    }


def _json_ready(values: dict[str, float]) -> dict[str, float | None]:
    """Round, and give None for what is undefined, such as the stops of a photo that clips nowhere, or infinite."""
    return {name: round(value, 6) if math.isfinite(value) else None for name, value in values.items()}


def _row(summary: dict[str, Any], columns: Mapping[str, tuple[str, int]]) -> tuple[str, ...]:
    numbers = ("-" if summary[name] is None else f"{summary[name]:.{places}f}" for name, places in columns.values())
    return (summary["results"], f"{summary['scored']}/{summary['images']}", *numbers)
