"""Typed training recipes, read from TOML. A recipe holds values, never class paths or code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from headroom.errors import UsageError

Model = TypeVar("Model", bound=BaseModel)
Share = Annotated[float, Field(ge=0, lt=1)]


class Table(BaseModel):
    """Base of every table of a recipe: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RunTable(Table):
    """What is trained, and for how long.

    Attributes:
        method: Method id.
        preset: Preset of that method.
        seed: Seed of the initial weights and of every batch.
        steps: Number of optimiser steps.
        batch_size: Examples per step on each device.
        initial_weights: Safetensors file of the same network to start from; empty for random weights.
        workers: Processes that prepare batches ahead; 0 prepares them in the training process.
        threads: Torch threads; 0 leaves torch's own choice. Results are exact only for a fixed number.
        precision: `bfloat16` runs the network in mixed precision; weights and losses stay float32.
        log_every: Steps between two log lines.
        validate_every: Steps between two validations of the averaged weights.
        checkpoint_every: Steps between two checkpoints; at most this much work is lost in a power cut.
        tensorboard: True to write TensorBoard events beside the JSON-lines log.
    """

    method: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    preset: str
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    steps: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]
    initial_weights: str = ""
    workers: Annotated[int, Field(ge=0)] = 0
    threads: Annotated[int, Field(ge=0)] = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    log_every: Annotated[int, Field(ge=1)] = 50
    validate_every: Annotated[int, Field(ge=1)] = 1000
    checkpoint_every: Annotated[int, Field(ge=1)] = 1000
    tensorboard: bool = False


class OptimiserTable(Table):
    """How weights move; `headroom.training.schedule` turns the last fields but one into a learning rate per step.

    Attributes:
        kind: Optimiser.
        learning_rate: Rate after the warm-up.
        betas: Decay of the first and second moment.
        weight_decay: Decoupled for `adamw`, added to the gradient for `adam`.
        warmup_steps: Steps over which the rate rises linearly from 0.
        schedule: Shape of the rate after the warm-up.
        drop_every: Steps after which the rate falls to a tenth, again and again, for `drops`.
        final_learning_rate_ratio: Rate of the last step over `learning_rate`, for `cosine`.
        clip_norm: Largest norm of the gradient; 0 leaves it as it is.
    """

    kind: Literal["adam", "adamw"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0)]
    betas: tuple[Share, Share] = (0.9, 0.999)
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    schedule: Literal["constant", "cosine", "drops"] = "cosine"
    drop_every: Annotated[int, Field(ge=1)] = 1000
    final_learning_rate_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0
    clip_norm: Annotated[float, Field(ge=0)] = 1.0


class EmaTable(Table):
    """How weights are averaged.

    Attributes:
        decay: Weight of the old average in each step; 0 keeps the newest weights.
        warmup: True to start with a shorter memory, so that early weights are forgotten sooner.
    """

    decay: Share = 0.999
    warmup: bool = True


PACE = frozenset({"workers", "threads", "log_every", "checkpoint_every", "tensorboard"})
"""Keys of `run` that a resumed run may change: they decide how it runs, not what it learns."""


class Recipe(Table):
    """Everything that decides the outcome of a run.

    Attributes:
        run: What is trained, and for how long.
        optimiser: How weights move.
        ema: How weights are averaged.
        data: Free table for the task; see `table`.
        loss: Free table for the task; see `table`.
    """

    run: RunTable
    optimiser: OptimiserTable
    ema: EmaTable = EmaTable()
    data: dict[str, Any] = {}
    loss: dict[str, Any] = {}
    _origin: str = PrivateAttr(default="the recipe")

    def table(self, name: Literal["data", "loss"], model: type[Model]) -> Model:
        """Read one of the free tables as the task's own model.

        Raises:
            UsageError: Names the file, the key and what is known.
        """
        return _validated(model, getattr(self, name), self._origin, (name,))

    def differences(self, other: Recipe) -> list[str]:
        """Name the keys, apart from `PACE`, by which another recipe would learn something else."""
        own, others = (recipe.model_dump(mode="json", exclude={"run": set(PACE)}) for recipe in (self, other))
        return [
            f"{table}.{key}"
            for table in own
            for key in sorted({*own[table], *others[table]})
            if own[table].get(key) != others[table].get(key)
        ]


def read_recipe(path: Path, overrides: Mapping[str, str | int | float] | None = None) -> Recipe:
    """Read a recipe.

    A recipe may say `base = "recipe.toml"`, a file of the same folder without a base of its own, and then holds only
    what differs from it.

    Args:
        path: TOML file.
        overrides: Values by dotted key, such as `{"run.steps": 100}`; text is read as a TOML value where it is one.

    Raises:
        UsageError: The file cannot be read, or a key or value is wrong.
    """
    content = _parsed(path)
    base = content.pop("base", None)
    if base is not None:
        content = _merged(_base_of(path, base), content)
    for key, value in (overrides or {}).items():
        content = _merged(content, _nested(key, value))
    recipe = _validated(Recipe, content, str(path))
    recipe._origin = str(path)
    return recipe


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}). Give the path of a recipe.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: is not TOML: {error}.") from error


def _base_of(path: Path, base: object) -> dict[str, Any]:
    if not isinstance(base, str) or Path(base).name != base:
        raise UsageError(f"{path}: base is {base!r}; give the plain name of a file in the same folder.")
    content = _parsed(path.with_name(base))
    if "base" in content:
        raise UsageError(f"{path}: its base {base!r} has a base itself; name {content['base']!r} directly.")
    return content


def _nested(key: str, value: str | float) -> dict[str, Any]:
    """Turn a dotted key and a value into nested tables."""
    nested: Any = _literal(value) if isinstance(value, str) else value
    for part in reversed(key.split(".")):
        nested = {part: nested}
    return dict(nested)


def _literal(text: str) -> object:
    """Read text as a TOML value where it is one: a bare word stays text."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if parsed.keys() == {"value"} else text


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _validated(model: type[Model], content: Mapping[str, Any], origin: str, inside: tuple[str, ...] = ()) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"{origin}: {'; '.join(_sentences(model, error, inside))}.") from error


def _sentences(model: type[BaseModel], error: ValidationError, inside: tuple[str, ...]) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in (*inside, *problem["loc"]))
        if problem["type"] == "extra_forbidden":
            known = ", ".join(_model_at(model, problem["loc"][:-1]).model_fields)
            yield f"unknown key {key}; known keys here are {known}"
        elif problem["type"] == "missing":
            yield f"{key} is missing"
        else:
            yield f"{key} = {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _model_at(model: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel]:
    """Follow a key down to the model of its table."""
    for part in location:
        inner = model.model_fields[str(part)].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return model
