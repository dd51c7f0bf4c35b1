"""The first of the two programs: runs a method over a data set and keeps its results as files. It sees no truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch

from headroom.benchmark.item import Item
from headroom.benchmark.peak_memory import with_peak
from headroom.benchmark.run_file import Run, read_run, write_run
from headroom.benchmark.split import split_sha256
from headroom.data.bracket_sets.scene import BracketScene
from headroom.errors import DataError, InputError, InsufficientMemory, UsageError
from headroom.files import make_folder
from headroom.image import Hdr
from headroom.io import write_hdr
from headroom.io.options import WriteOptions
from headroom.methods.contract import Method
from headroom.restore import expand, merge
from headroom.restore.network import choose_preset

_FULL_PRECISION = WriteOptions(half=False)


class Inference(NamedTuple):
    """What became of one image.

    Attributes:
        name: The item's name.
        status: `exists` when its result lay there already.
        error: Why it failed.
    """

    name: str
    status: Literal["done", "exists", "failed"]
    error: str = ""


def infer(
    method: str,
    items: Sequence[Item | BracketScene],
    folder: Path,
    *,
    dataset: str,
    preset: str | None = None,
    weights: Path | None = None,
) -> Iterator[Inference]:
    """Expand each photo or merge each bracket to `folder`/NAME.exr, in float32, unless it exists.

    `folder`/run.json records how.

    Args:
        method: Method id.
        items: The data set.
        folder: Folder of the results; made where there is none.
        dataset: Words that name the data set, for the record.
        preset: Size of the method; its default when None.
        weights: Path of a safetensors file to use instead of the weights that ship.

    Raises:
        UsageError: Unknown method or preset, a method of another verb, or the folder holds results that were made in
            another way.
        DataError: The folder's `run.json` is damaged.
        OutputError: The folder or a result cannot be written.
        WeightsError: The weights are missing or damaged.
    """
    chosen, preset = choose_preset(method, preset)
    run = read_run(folder)
    if run and (run.method, run.preset, run.dataset) != (method, preset, dataset):
        raise _mixed(folder, run)
    make_folder(folder)
    parameters = _count_parameters(chosen, preset)
    split = split_sha256(items)
    for item in items:
        _check_verb(chosen, item)
        target = folder / f"{item.name}.exr"
        if target.exists():
            yield Inference(item.name, "exists")
            continue
        try:
            make = _ready(item, method, preset, weights)
            started = time.perf_counter()
            hdr, peak_bytes = with_peak(make)
            seconds = time.perf_counter() - started
        except (InputError, DataError, InsufficientMemory) as error:
            yield Inference(item.name, "failed", str(error))
            continue
        run = _joined(run, _run_of(hdr, dataset), folder)
        write_hdr(hdr, target, options=_FULL_PRECISION)
        run = run.with_image(item.name, seconds / (hdr.height * hdr.width / 1e6), split)
        run = run.with_costs(peak_bytes, parameters)
        write_run(folder, run)
        yield Inference(item.name, "done")


def _check_verb(method: Method[Any], item: Item | BracketScene) -> None:
    verb = "merge" if isinstance(item, BracketScene) else "expand"
    if method.verb != verb:
        raise UsageError(f"{method.id}: a method to {method.verb}, but the data set is there to {verb}. Give another.")


def _ready(item: Item | BracketScene, method: str, preset: str, weights: Path | None) -> Callable[[], Hdr]:
    """Read an item, so that only the work itself is timed."""
    if isinstance(item, BracketScene):
        return partial(merge, item.bracket(), method=method, preset=preset, weights=weights)
    return partial(expand, item.photo(), method=method, preset=preset, weights=weights, use_gain_map=False)


def _count_parameters(method: Method[Any], preset: str) -> int:
    with torch.device("meta"):
        network = method.build(method.presets[preset].settings)
    return sum(parameter.numel() for parameter in network.parameters())


def _run_of(hdr: Hdr, dataset: str) -> Run:
    known = ("headroom", "method", "preset", "weights_sha256")
    return Run(**{name: hdr.provenance[name] for name in known}, dataset=dataset)


def _joined(run: Run | None, new: Run, folder: Path) -> Run:
    """Give the run to go on with, after making sure that the new result belongs to it."""
    if run and run.without_circumstances() != new:
        raise _mixed(folder, run)
    return run or new


def _mixed(folder: Path, run: Run) -> UsageError:
    return UsageError(
        f"{folder}: holds results of {run.method} {run.preset}, weights {run.weights_sha256}, version {run.headroom}, "
        f"on {run.dataset}. Give another folder."
    )
