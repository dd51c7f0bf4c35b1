"""`headroom bench metrics`: what can be measured, and what is missing for the rest."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headroom.cli.bench_score import MODELS_HELP
from headroom.cli.console import show_json, show_table

if TYPE_CHECKING:
    from headroom.metrics.contract import Metric


def metrics(
    models: Annotated[Path | None, typer.Option(metavar="DIR", exists=True, file_okay=False, help=MODELS_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per metric.")] = False,
) -> None:
    """List the metrics.

    UNITS are those of the pictures: light (linear, 1.0 = white), full-scale (linear, 1.0 = clip level of the shortest
    frame of a bracket), nits (cd/m2, the brightest true value at 1000), codes (of an SDR picture) or srgb (those of an
    enhanced photo, as its file holds them). OF says which verbs' results a metric is defined for. The usual ones are
    measured where none are named.
    """
    from headroom.metrics import registry

    found = [(metric, registry.missing(metric, models)) for metric in registry.metrics().values()]
    if json:
        for metric, todo in found:
            show_json(_record(metric, todo))
    else:
        show_table([("METRIC", "BETTER", "UNITS", "OF", "TRUTH", "HERE"), *(_row(*entry) for entry in found)])


def _row(metric: Metric, todo: str) -> tuple[str, ...]:
    state = "usual" if metric.usual else "yes"
    return (metric.id, metric.direction, metric.domain, _of(metric), "yes" if metric.compares else "no", todo or state)


def _of(metric: Metric) -> str:
    return ", ".join(metric.verbs)


def _record(metric: Metric, todo: str) -> dict[str, Any]:
    return {
        "metric": metric.id,
        "name": metric.name,
        "direction": metric.direction,
        "unit": metric.unit,
        "limits": [limit if math.isfinite(limit) else None for limit in metric.limits],
        "domain": metric.domain,
        "of": metric.verbs,
        "needs_truth": metric.compares,
        "takes": metric.takes,
        "source": metric.source,
        "packages": metric.packages,
        "models": metric.models,
        "usual": metric.usual,
        "available": not todo,
        "to_get_it": todo,
    }
