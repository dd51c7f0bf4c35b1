"""The best weights of a run: one file that also says which validation chose them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from headroom.errors import WeightsError
from headroom.training.checkpoint import save_tensors
from headroom.training.recipe import Recipe
from headroom.weights.header import check_header
from headroom.weights.reader import read_state_dict
from headroom.weights.writer import pack

FILE_NAME = "best.safetensors"


class Best(NamedTuple):
    """A validation: the number of steps done, the main metric's name and its value."""

    step: int
    metric: str
    value: float


def read_best(run_folder: Path) -> Best:
    """Read which validation chose a run's weights.

    Raises:
        WeightsError: The run has no weights yet, or they are damaged.
    """
    path = run_folder / FILE_NAME
    metadata = check_header(path)
    try:
        return Best(int(metadata["step"]), metadata["metric"], float(metadata["value"]))
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{path}: is not from a training run ({error}). Choose the run's folder.") from error


def keep_if_best(run_folder: Path, network: nn.Module, found: Best, recipe: Recipe, *, higher_is_better: bool) -> None:
    """Replace a run's weights by this network's when its validation is better.

    The file itself is the memory of the best value, so weights and value cannot disagree after a kill.
    """
    path = run_folder / FILE_NAME
    if path.exists():
        best = read_best(run_folder).value
        if not (found.value > best if higher_is_better else found.value < best):
            return
    description = {"method": recipe.run.method, "preset": recipe.run.preset, "recipe": recipe.model_dump_json()}
    validation = {"step": str(found.step), "metric": found.metric, "value": repr(found.value)}
    save_tensors(path, network.state_dict(), description | validation)


def export(
    run_folder: Path,
    target: Path,
    *,
    prefix: str | tuple[str, ...] = "",
    choose: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict,
) -> None:
    """Write a run's best weights as the float16 safetensors that ship, with the run's description in their header.

    Args:
        run_folder: The run.
        target: The file to write.
        prefix: Only weights whose names start with it, or with one of these, are written: the others are in files that
            a preset shares.
        choose: Gives what to write of these, where a prefix cannot say it, such as `headroom.nn.low_rank.adapters_of`.

    Raises:
        WeightsError: The run has no weights yet, or they are damaged or too large for float16.
        OutputError: The target cannot be written.
    """
    path = run_folder / FILE_NAME
    state = {name: value for name, value in read_state_dict(path).items() if name.startswith(prefix)}
    pack(choose(state), target, check_header(path))
