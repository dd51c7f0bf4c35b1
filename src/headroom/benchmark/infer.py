"""The first of the two programs: runs a method over a data set and keeps its results as files. It sees no truth."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from headroom.benchmark.item import AnyItem
from headroom.benchmark.making import Way, write_result
from headroom.benchmark.peak_memory import with_peak
from headroom.benchmark.run_file import Run, read_run, write_run
from headroom.benchmark.split import split_sha256
from headroom.errors import DataError, InputError, InsufficientMemory, UsageError
from headroom.files import make_folder
from headroom.image import Hdr, Photo


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


def infer(way: Way, items: Sequence[AnyItem], folder: Path, *, dataset: str) -> Iterator[Inference]:
    """Make the result of each item unless it exists: `folder`/NAME.exr in float32, of enhanced photos NAME.png.

    `folder`/run.json records how.

    Args:
        way: Method and options.
        items: The data set.
        folder: Folder of the results; made where there is none.
        dataset: Words that name the data set, for the record.

    Raises:
        UsageError: A method of another verb, or the folder holds results that were made in another way.
        DataError: The folder's `run.json` is damaged.
        OutputError: The folder or a result cannot be written.
        WeightsError: The weights are missing or damaged.
    """
    run = read_run(folder)
    chosen = (way.method, way.preset, way.options, dataset)
    if run and (run.method, run.preset, run.options, run.dataset) != chosen:
        raise _mixed(folder, run)
    make_folder(folder)
    split = split_sha256(items)
    for item in items:
        target = folder / f"{item.name}{way.suffix}"
        if target.exists():
            yield Inference(item.name, "exists")
            continue
        try:
            make = way.ready(item)
            started = time.perf_counter()
            result, peak_bytes = with_peak(make)
            seconds = time.perf_counter() - started
        except (InputError, DataError, InsufficientMemory) as error:
            yield Inference(item.name, "failed", str(error))
            continue
        new = _run_of(way, result, dataset)
        run = _joined(run, new, folder)
        write_result(result, target)
        run = run.with_image(item.name, seconds / (result.height * result.width / 1e6), split)
        run = run.with_costs(peak_bytes, new.parameters or 0)
        write_run(folder, run)
        yield Inference(item.name, "done")


def _run_of(way: Way, result: Hdr | Photo, dataset: str) -> Run:
    return Run(method=way.method, preset=way.preset, options=way.options, dataset=dataset, **way.made_by(result))


def _joined(run: Run | None, new: Run, folder: Path) -> Run:
    """Give the run to go on with, after making sure that the new result belongs to it."""
    if run and run.without_circumstances() != new.without_circumstances():
        raise _mixed(folder, run)
    return run or new


def _mixed(folder: Path, run: Run) -> UsageError:
    return UsageError(
        f"{folder}: holds results of {run.label}, weights {run.weights_sha256}, version {run.headroom}, "
        f"on {run.dataset}. Give another folder."
    )
