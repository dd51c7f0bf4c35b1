"""`headroom train`: a method and a folder of panoramas in, weights out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headroom.cli.console import progress_bar, say
from headroom.errors import UsageError

if TYPE_CHECKING:
    from headroom.training.loop import Progress


def train(
    method: Annotated[str, typer.Argument(help="Method to train; see `headroom methods`.")],
    data: Annotated[Path, typer.Option("--data", metavar="FOLDER", help="HDR panoramas; see `headroom data check`.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="The run: log, pictures, checkpoints, weights.")
    ],
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML file, or the name of another recipe that ships.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Use the method's debug recipe: a minute on a CPU.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in --out.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a value, such as run.seed=1.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Short for --set run.steps=N.")] = None,
) -> None:
    """Train a method on HDR panoramas.

    A run can be killed anywhere and goes on exactly with --resume. Needs the extra `train`. The path of the best
    weights goes to stdout.
    """
    overrides: dict[str, str | int | float] = dict(map(_key_and_value, set_ or []))
    if steps is not None:
        overrides["run.steps"] = steps
    if recipe and debug:
        raise UsageError("--recipe and --debug both name a recipe. Give one of them.")

    from headroom.cli.heap import keep_freed_memory
    from headroom.training.best import FILE_NAME
    from headroom.training.loop import train as run
    from headroom.training.recipe import read_recipe
    from headroom.training.tasks import make_task

    path = _shipped(method, recipe) if recipe else _own_recipe(method, overrides.get("run.preset"), debug=debug)
    chosen = read_recipe(path, overrides)
    if chosen.run.method != method:
        raise UsageError(f"{recipe}: is a recipe of {chosen.run.method}, not of {method}. Change one of the two.")
    keep_freed_memory()
    with _progress() as progress:
        result = run(make_task(chosen, data), chosen, out, resume=resume, progress=progress)
    say(f"{result.best.metric} {result.best.value:.4g} after step {result.best.step}, {result.seconds:.0f} s in all")
    print(result.folder / FILE_NAME)


def _key_and_value(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise UsageError(f"--set {text}: is not KEY=VALUE. Write it like run.seed=1.")
    return key, value


def _own_recipe(method: str, preset: object, *, debug: bool) -> Path:
    from headroom.training.tasks import training_of

    name = training_of(method, str(preset) if preset else None).recipe
    return _folder_of(method) / (f"{name}_debug.toml" if debug else f"{name}.toml")


def _shipped(method: str, recipe: Path) -> Path:
    """Find a recipe that is named, not a path, beside the method's own; a user's file comes first."""
    own = _folder_of(method) / recipe.name
    return own if recipe.parent == Path() and not recipe.exists() and own.exists() else recipe


def _folder_of(method: str) -> Path:
    from headroom import methods

    return Path(methods.__file__).parent / method


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show steps, loss and the time left on stderr."""
    with progress_bar() as display:
        task = display.add_task("starting", total=None)

        def report(done: int, total: int, _seconds_left: float, losses: Mapping[str, float]) -> None:
            display.update(task, description=f"loss {losses['total']:.4g}", completed=done, total=total)

        yield report
