"""Everything that is measured on one result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headroom.benchmark.judge import SDR_RESULT, Judge
from headroom.errors import DataError, InputError, UsageError
from headroom.image import Hdr, Photo
from headroom.metrics.contract import Features, Measure, Metric, Pair

_REFUSALS = (InputError, DataError, UsageError)


@dataclass(frozen=True, slots=True)
class Readings:
    """What metrics gave for one result.

    Attributes:
        values: Numbers by metric; nan where one is undefined.
        features: What metrics of whole sets gathered.
        errors: Why others gave nothing, each reason once.
    """

    values: dict[str, float] = field(default_factory=dict)
    features: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    errors: dict[str, None] = field(default_factory=dict)

    def refuse(self, error: Exception, result: Hdr | Photo) -> None:
        """Note why a result cannot be measured; a metric that finds pictures unfit knows no file names."""
        self.errors[f"{result.source}: {error}" if isinstance(error, UsageError) else str(error)] = None


class Meter:
    """Metrics that are ready to measure."""

    def __init__(self, metrics: Iterable[Metric], models: Path | None = None) -> None:
        """Open metrics.

        Raises:
            WeightsError: A model is damaged or made for another network.
        """
        # Those of equal units together, so that the pictures are in no more than one kind of units at a time.
        ordered = sorted(metrics, key=lambda metric: metric.domain)
        self._opened = [(metric, metric.open(models or Path())) for metric in ordered]

    def read(self, judge: Judge, result: Hdr | Photo) -> Readings:
        """Measure one result; a metric that cannot be had of it gives an error and stops no other."""
        readings = Readings()
        for domain, group in groupby(self._opened, key=lambda opened: opened[0].domain):
            try:
                pair = judge.pair(result, domain)
            except _REFUSALS as error:
                readings.refuse(error, result)
                continue
            for metric, measure in group:
                try:
                    if metric.compares and pair.truth is None:
                        raise DataError(judge.no_truth or f"{result.source}: {SDR_RESULT}")
                    _read(metric, measure, pair, readings)
                except _REFUSALS as error:
                    readings.refuse(error, result)
        return readings


def _read(metric: Metric, measure: Measure | Features, pair: Pair, readings: Readings) -> None:
    lacking = {"mask": pair.mask is None, "base": pair.base is None, "frames": pair.unseen is None}
    if lacking.get(metric.takes, False):
        readings.values[metric.id] = float("nan")
        return
    metric.check(pair)
    found = measure(pair)
    if metric.combine:
        readings.features[metric.id] = np.asarray(found)
    else:
        readings.values[metric.id] = float(found)
