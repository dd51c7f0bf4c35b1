"""The folder of a run: one recipe, one run, and nothing half written."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

from pydantic import ValidationError

from headroom.errors import OutputError, UsageError
from headroom.files import write_atomically
from headroom.training.recipe import Recipe

_LEFT_BY_A_KILL = (".*.part*", "*/.*.part*", ".tmp??????")
"""Names of half written files: ours, and what safetensors writes beside the path that it is given."""


def open_run(folder: Path, recipe: Recipe, *, resume: bool) -> None:
    """Make the folder of a new run, or check that it holds a run of the same recipe and tidy it after a kill.

    Raises:
        UsageError: The folder holds a run and `resume` is False, or a run of another recipe.
        OutputError: The folder cannot be written.
    """
    path = folder / "recipe.json"
    if path.exists():
        _check_same(path, recipe, resume=resume)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}). Choose another folder.") from error
    write_atomically(path, recipe.model_dump_json(indent=2).encode())
    for part in itertools.chain.from_iterable(folder.glob(pattern) for pattern in _LEFT_BY_A_KILL):
        shutil.rmtree(part) if part.is_dir() else part.unlink()


def _check_same(path: Path, recipe: Recipe, *, resume: bool) -> None:
    if not resume:
        raise UsageError(f"{path.parent}: holds a run already. Resume it, or choose another folder.")
    try:
        before = Recipe.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(f"{path}: is not the recipe of a run ({error}). Choose another folder.") from error
    changed = recipe.differences(before)
    if changed:
        raise UsageError(f"{path.parent}: was trained with another {', '.join(changed)}. Choose another folder.")
