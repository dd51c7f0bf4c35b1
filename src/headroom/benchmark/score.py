"""The second of the two programs: compares result files, of whatever tool, with the truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from headroom.benchmark.enhance_judge import EnhanceJudge
from headroom.benchmark.item import AnyItem, verb_of
from headroom.benchmark.judge import Judge, judge_of
from headroom.benchmark.measure import Meter, Readings
from headroom.benchmark.results import read_result
from headroom.errors import DataError, InputError, UsageError
from headroom.metrics import registry
from headroom.metrics.contract import Metric


class Scored(NamedTuple):
    """One result of one tool.

    Attributes:
        folder: Folder of the tool's results.
        name: The item's name.
        readings: What the metrics gave; empty where the result or the item cannot be used.
    """

    folder: Path
    name: str
    readings: Readings

    @property
    def error(self) -> str:
        """What is wrong with the result, or with the item itself."""
        return " ".join(self.readings.errors)


def score(
    folders: Sequence[Path], items: Iterable[AnyItem], meter: Meter, *, against: Path | None = None
) -> Iterator[Scored]:
    """Score the result of each item in each folder, item by item.

    No more is held than a photo, its truth, one result and what it refines.

    Args:
        folders: Folders of results.
        items: The data set.
        meter: What to measure.
        against: Folder of the enhanced photos that the results refine.

    Raises:
        UsageError: Results of such a data set refine nothing.
    """
    for item in items:
        try:
            judge = judge_of(item) if against is None else _refining_judge(item, against)
        except (InputError, DataError) as error:
            yield from (Scored(folder, item.name, _failed(error)) for folder in folders)
            continue
        for folder in folders:
            try:
                yield Scored(folder, item.name, meter.read(judge, read_result(folder, item.name)))
            except (InputError, DataError) as error:
                yield Scored(folder, item.name, _failed(error))


def choose_metrics(
    items: Sequence[AnyItem], names: Sequence[str], models: Path | None, *, everything: bool = False
) -> list[Metric]:
    """Give the metrics to score a data set with.

    Args:
        items: The data set.
        names: Ids; when empty, those that are usual for such a data set.
        models: Folder of the models that the user has.
        everything: Take all that fit the data set and work here.

    Raises:
        UsageError: An unknown metric, or one that is not defined for such a data set.
        MissingDependency: One that was named needs a package.
        WeightsError: One that was named needs a model.
    """
    verb = verb_of(items[0])
    if names:
        named = registry.find(names)
        if unfit := [metric for metric in named if verb not in metric.verbs]:
            raise UsageError(
                f"{unfit[0].id}: is not defined for what {verb} makes. Leave it out; `headroom bench metrics` tells."
            )
        registry.require(named, models)
        return named
    fit = [metric for metric in registry.metrics().values() if verb in metric.verbs]
    return [metric for metric in fit if metric.usual or (everything and not registry.missing(metric, models))]


def _refining_judge(item: AnyItem, against: Path) -> Judge:
    judge = judge_of(item)
    if not isinstance(judge, EnhanceJudge):
        raise UsageError(f"{against}: only enhanced photos are refined. Leave --against out.")
    return judge.refining(read_result(against, item.name))


def _failed(error: Exception) -> Readings:
    return Readings(errors={str(error): None})
