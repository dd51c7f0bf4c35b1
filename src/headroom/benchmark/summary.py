"""What the scores of many images say together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headroom._version import __version__
from headroom.benchmark.costs import COSTS
from headroom.benchmark.run_file import Run
from headroom.benchmark.score import Scored
from headroom.benchmark.scores_file import MetricHeader, Scores, number
from headroom.metrics.contract import Direction, Metric

_SHARE = 90


def summarise(
    scored: Sequence[Scored], metrics: Sequence[Metric], dataset: str, split_sha256: str, run: Run | None = None
) -> Scores:
    """Sum up the results of one folder.

    Args:
        scored: Each image of the data set.
        metrics: What was measured.
        dataset: Words that name the data set.
        split_sha256: Hash of its items.
        run: How the results were made, where Headroom made them.
    """
    costs = {cost: found for cost in COSTS if run and (found := cost.of(run)) is not None}
    headers = {m.id: MetricHeader(name=m.name, direction=m.direction, unit=m.unit) for m in metrics}
    headers |= {cost.id: MetricHeader(name=cost.name, direction="lower", unit=cost.unit) for cost in costs}
    of_images = [metric for metric in metrics if not metric.combine]
    columns = {metric.id: _defined(scored, metric.id) for metric in of_images}
    return Scores(
        headroom=__version__,
        dataset=dataset,
        split_sha256=split_sha256,
        metrics=headers,
        images={
            result.name: {m.id: number(result.readings.values.get(m.id, np.nan)) for m in of_images}
            for result in scored
            if result.readings.values
        },
        errors={result.name: result.error for result in scored if result.error},
        mean={
            **{name: number(float(np.mean(values))) for name, values in columns.items()},
            **{metric.id: number(_combined(scored, metric)) for metric in metrics if metric.combine},
            **{cost.id: number(found) for cost, found in costs.items()},
        },
        p90={m.id: number(_worse_than(columns[m.id], m.direction, _SHARE)) for m in of_images},
        worst={m.id: number(_worse_than(columns[m.id], m.direction, 100)) for m in of_images},
    )


def _defined(scored: Sequence[Scored], name: str) -> list[float]:
    """Give the numbers of a metric; nan alone where no image has one."""
    values = [result.readings.values.get(name, np.nan) for result in scored]
    return [value for value in values if not np.isnan(value)] or [np.nan]


def _worse_than(values: list[float], direction: Direction, percent: float) -> float:
    """Give the number that so many percent of the images do at least as well as."""
    with np.errstate(invalid="ignore"):  # between two infinite values
        return float(np.percentile(values, percent if direction == "lower" else 100 - percent))


def _combined(scored: Sequence[Scored], metric: Metric) -> float:
    gathered = [found for result in scored if (found := result.readings.features.get(metric.id)) is not None]
    return metric.combine(gathered) if metric.combine and gathered else float("nan")
