"""From a recipe to its training task: the method's verb decides which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from headroom.errors import UsageError
from headroom.methods import load
from headroom.methods.contract import Training, Verb
from headroom.training.enhance import EnhanceTask
from headroom.training.expand import ExpandTask
from headroom.training.exposures import ExposureTask
from headroom.training.merge import MergeTask
from headroom.training.prior import PriorTask
from headroom.training.recipe import Recipe


def training_of(method_id: str, preset: str | None = None) -> Training[Any]:
    """Say how a preset, or a method's default one, is trained.

    Raises:
        UsageError: The method or preset is unknown, or has nothing to train.
    """
    method = load(method_id)
    name = preset or method.default_preset
    if name not in method.presets:
        raise UsageError(f"{method.id} has no preset {name!r}; it has {', '.join(method.presets)}.")
    try:
        module = import_module(f"headroom.methods.{method.id}.training")
    except ModuleNotFoundError as error:
        raise UsageError(f"{method.id}: has nothing to train. Choose another method.") from error
    by_preset: Mapping[str, Training[Any]] = module.TRAINING
    if name not in by_preset:
        raise UsageError(f"{method.id} {name}: has nothing to train. Choose one of {', '.join(by_preset)}.")
    return by_preset[name]


VerbTask = ExpandTask | ExposureTask | MergeTask | EnhanceTask | PriorTask

_TASKS: Mapping[Verb, Callable[[Recipe, Training[Any], Path], VerbTask]] = {
    "expand": ExpandTask,
    "merge": MergeTask,
    "enhance": EnhanceTask,
    "generate": PriorTask,
}


def make_task(recipe: Recipe, panoramas: Path) -> VerbTask:
    """Join a recipe, its method and a folder of panoramas.

    Raises:
        UsageError: The method or preset is unknown, or cannot be trained this way.
        DataError: The folder does not hold the panoramas.
    """
    training = training_of(recipe.run.method, recipe.run.preset)
    if training.of_exposures:
        return ExposureTask(recipe, training, panoramas)
    return _TASKS[load(recipe.run.method).verb](recipe, training, panoramas)
