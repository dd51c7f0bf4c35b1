"""All metrics, found by file: a module of this folder adds those in its `METRICS`."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import MappingProxyType

from headroom.errors import MissingDependency, UsageError, WeightsError
from headroom.metrics.contract import Metric

_INSTALL = {"pycvvdp": "pip install 'headroom-hdr[metrics]'"}
"""What to type for a package; `pip install` and its name for all others."""


@functools.cache
def metrics() -> Mapping[str, Metric]:
    """Give every metric by its id: the usual ones first, each half in the order of files and lists."""
    names = sorted(module.name for module in iter_modules([str(Path(__file__).parent)]) if module.name != "registry")
    modules = [import_module(f"headroom.metrics.{name}") for name in names]
    found: list[Metric] = [metric for module in modules for metric in getattr(module, "METRICS", ())]
    by_id = {metric.id: metric for metric in sorted(found, key=lambda metric: not metric.usual)}
    if len(by_id) != len(found):
        raise RuntimeError("two metrics have the same id")
    return MappingProxyType(by_id)


def find(ids: Iterable[str]) -> list[Metric]:
    """Give the metrics of these ids.

    Raises:
        UsageError: There is none of an id.
    """
    known = metrics()
    wanted = list(dict.fromkeys(ids))
    if unknown := [name for name in wanted if name not in known]:
        raise UsageError(f"{unknown[0]}: no metric. Choose from {', '.join(known)}.")
    return [known[name] for name in wanted]


def missing(metric: Metric, models: Path | None) -> str:
    """Say what to install or to bring before the metric works here; empty when nothing is missing."""
    for package in metric.packages:
        if find_spec(package) is None:
            return _INSTALL.get(package, f"pip install {package}")
    for name in metric.models:
        if models is None or not (models / name).exists():
            return f"put {name} into {models or 'a folder'} and name the folder as --models"
    return ""


def require(wanted: Iterable[Metric], models: Path | None) -> None:
    """Make sure that metrics work here.

    Raises:
        MissingDependency: A package is not installed.
        WeightsError: A model is not there.
    """
    for metric in wanted:
        if not (todo := missing(metric, models)):
            continue
        error = WeightsError if todo.startswith("put") else MissingDependency
        raise error(f"{metric.id}: {metric.name} cannot be measured here. To get it: {todo}.")
