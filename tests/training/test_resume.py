"""Training processes are really killed here, at file operations and at random times, and resumed."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import BlurTask, tiny_recipe

from headroom.errors import WeightsError
from headroom.training.best import read_best
from headroom.training.checkpoint import latest_checkpoint
from headroom.training.log import read_log
from headroom.training.loop import train

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes to kill are forked")

FILE_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir"}


def run_forked(folder: Path, *, killed_at_event: int = 0, killed_after_s: float = 60.0) -> bool:
    """Train with resume in a forked process; return False when it was killed."""
    process = multiprocessing.get_context("fork").Process(target=_train, args=(folder, killed_at_event))
    process.start()
    process.join(killed_after_s)
    process.kill()
    process.join()
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode == 0


def _train(folder: Path, killed_at_event: int) -> None:
    events = 0

    def count(event: str, _arguments: object) -> None:
        nonlocal events
        if event in FILE_EVENTS:
            events += 1
            if events == killed_at_event:
                os.kill(os.getpid(), signal.SIGKILL)

    recipe = tiny_recipe(folder)
    if killed_at_event:
        sys.addaudithook(count)
    train(BlurTask(recipe), recipe, folder / "run", resume=True)


def outcome(run: Path) -> tuple[dict[str, torch.Tensor], list[dict[str, float]]]:
    """Give every tensor that a run leaves, and its log without the clock."""
    files = [run / "best.safetensors", *sorted((run / "checkpoints" / "step-00000024").glob("*.safetensors"))]
    tensors = {f"{file.name}/{name}": value for file in files for name, value in load_file(file).items()}
    clock = {"seconds", "examples_per_s"}
    return tensors, [{k: v for k, v in record.items() if k not in clock} for record in read_log(run / "log.jsonl")]


def assert_same_outcome(run: Path, reference: Path) -> None:
    tensors, log = outcome(run)
    tensors_there, log_there = outcome(reference)
    assert tensors.keys() == tensors_there.keys()
    for name, value in tensors.items():
        assert value.dtype == tensors_there[name].dtype
        assert value.numpy().tobytes() == tensors_there[name].numpy().tobytes(), name
    assert log == log_there
    assert read_best(run) == read_best(reference)
    assert not list(run.rglob(".*"))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    assert run_forked(folder)
    return folder / "run"


@pytest.mark.parametrize("first", range(1, 220, 9))
def test_killed_at_file_operations(tmp_path: Path, unbroken: Path, first: int) -> None:
    finished, attempt = run_forked(tmp_path, killed_at_event=first), 0
    assert not finished
    while not finished:
        checkpoint = latest_checkpoint(tmp_path / "run/checkpoints")
        if checkpoint is not None:
            assert {path.name for path in checkpoint.iterdir()} == {
                "network.safetensors", "average.safetensors", "optimiser.safetensors", "state.json",
            }  # fmt: skip
        attempt += 1
        finished = run_forked(tmp_path, killed_at_event=first + 60 * attempt)
    assert_same_outcome(tmp_path / "run", unbroken)


def test_killed_at_random_times(tmp_path: Path, unbroken: Path) -> None:
    start = time.monotonic()
    assert run_forked(tmp_path)
    whole_s = time.monotonic() - start
    moments = random.Random(3)
    for run in range(6):
        folder = tmp_path / str(run)
        folder.mkdir()
        while not run_forked(folder, killed_after_s=moments.uniform(0.2, 1.3) * whole_s):
            pass
        assert_same_outcome(folder / "run", unbroken)


def test_what_safetensors_left_half_written_is_removed(tmp_path: Path, unbroken: Path) -> None:
    assert run_forked(tmp_path)
    run = tmp_path / "run"
    large = {"weight": torch.zeros(30_000_000)}
    writing = multiprocessing.get_context("fork").Process(target=save_file, args=(large, run / "best.safetensors"))
    writing.start()
    while not (left := list(run.glob(".tmp*"))) and writing.is_alive():
        pass
    writing.kill()
    writing.join()
    assert left
    assert left[0].exists()
    assert run_forked(tmp_path)
    assert_same_outcome(run, unbroken)


def test_a_resumed_run_may_be_complete_already(tmp_path: Path, unbroken: Path) -> None:
    assert run_forked(tmp_path)
    assert run_forked(tmp_path)
    assert_same_outcome(tmp_path / "run", unbroken)


def test_the_checkpoint_before_a_damaged_one_serves(tmp_path: Path, unbroken: Path) -> None:
    assert run_forked(tmp_path)
    newest = tmp_path / "run/checkpoints/step-00000024"
    (newest / "average.safetensors").write_bytes((newest / "average.safetensors").read_bytes()[:-8])
    recipe = tiny_recipe(tmp_path)
    with pytest.raises(WeightsError, match=r"step-00000024: cannot be resumed from .*Delete this folder"):
        train(BlurTask(recipe), recipe, tmp_path / "run", resume=True)
    shutil.rmtree(newest)
    assert run_forked(tmp_path)
    assert_same_outcome(tmp_path / "run", unbroken)
