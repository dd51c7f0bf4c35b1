from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny import BlurTask, tiny_recipe

from headroom.errors import HeadroomError, UsageError, WeightsError
from headroom.training.best import export, read_best
from headroom.training.log import read_log
from headroom.training.loop import train
from headroom.weights.header import check_header


def test_the_loss_falls(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, run__steps=150, run__validate_every=50, run__log_every=1)
    train(BlurTask(recipe), recipe, tmp_path / "run")
    losses = [record["loss/total"] for record in read_log(tmp_path / "run/log.jsonl") if "loss/total" in record]
    assert len(losses) == 150
    assert np.mean(losses[-10:]) < 0.2 * np.mean(losses[:3])


def test_a_run_starts_from_the_weights_it_is_given(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path)
    train(BlurTask(recipe), recipe, tmp_path / "first")
    # One step at a rate of nearly nothing leaves them where they were.
    start = str(tmp_path / "first/best.safetensors")
    overrides = {"run__steps": 1, "optimiser__warmup_steps": 10_000, "ema__decay": 0}
    again = tiny_recipe(tmp_path, run__initial_weights=start, **overrides)
    train(BlurTask(again), again, tmp_path / "second")
    given, kept = load_file(start), load_file(tmp_path / "second/best.safetensors")
    assert all(torch.allclose(given[name], kept[name], atol=1e-5) for name in given if "weight" in name)


def test_initial_weights_of_another_network_are_refused_by_name(tmp_path: Path) -> None:
    save_file({"0.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    recipe = tiny_recipe(tmp_path, run__initial_weights=str(tmp_path / "other.safetensors"))
    with pytest.raises(WeightsError, match=r"other\.safetensors"):
        train(BlurTask(recipe), recipe, tmp_path / "run")


def test_a_run_leaves_log_panels_weights_and_two_checkpoints(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path)
    told: list[tuple[int, int]] = []
    train(BlurTask(recipe), recipe, tmp_path / "run", progress=lambda done, steps, left, _: told.append((done, steps)))
    assert told == [(step, 24) for step in range(1, 25)]
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "best.safetensors", "checkpoints", "log.jsonl", "panels", "recipe.json",
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "run/checkpoints").iterdir()) == ["step-00000020", "step-00000024"]
    panels = sorted((tmp_path / "run/panels").iterdir())
    assert [int(path.stem[5:]) for path in panels] == [5, 10, 15, 20, 24]
    assert np.asarray(Image.open(panels[0])).shape == (8, 8, 3)


def test_best_weights_are_those_of_the_best_validation(tmp_path: Path) -> None:
    # The target drifts away from the one of the validation, which therefore is best in the middle of the run.
    recipe = tiny_recipe(tmp_path, run__steps=60)
    task = BlurTask(recipe, drift=2.0)
    result = train(task, recipe, tmp_path / "run")
    errors = {
        record["step"]: record["validation/error"]
        for record in read_log(tmp_path / "run/log.jsonl")
        if "validation/error" in record
    }
    assert result.best.step == min(errors, key=errors.__getitem__) not in {5, 60}
    assert result.best.metric == "error"
    assert result.best.value == errors[result.best.step]
    network = task.build().eval()
    network.load_state_dict(load_file(tmp_path / "run/best.safetensors"))
    with torch.no_grad():
        assert task.validate(network)["error"] == result.best.value


def test_higher_is_better_where_the_task_says_so(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path)
    task = BlurTask(recipe)
    task.higher_is_better = True
    assert train(task, recipe, tmp_path / "run").best.step == 5  # The first validation has the largest error.


def test_workers_change_nothing(tmp_path: Path) -> None:
    for workers in (0, 1):
        recipe = tiny_recipe(tmp_path, run__steps=6, run__workers=workers)
        train(BlurTask(recipe), recipe, tmp_path / str(workers))
    one, other = (load_file(tmp_path / str(workers) / "best.safetensors") for workers in (0, 1))
    assert all(torch.equal(one[name], other[name]) for name in one)


def start_process(folder: Path, **overrides: str | int) -> subprocess.Popen[str]:
    """Train in another process, which prints the steps done."""
    code = (
        "import sys, pathlib, torch; from tiny import *; from headroom.training.loop import train\n"
        "folder = pathlib.Path(sys.argv[1]); torch.set_num_threads(1)\n"
        f"recipe = tiny_recipe(folder, **{overrides!r})\n"
        "train(BlurTask(recipe), recipe, folder / 'run', progress=lambda done, *_: print(done, flush=True))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def test_ctrl_c_in_a_terminal_leaves_workers_alone(tmp_path: Path) -> None:
    with start_process(tmp_path, run__workers=1, run__steps=100_000, run__checkpoint_every=100_000) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        os.killpg(process.pid, signal.SIGINT)  # A terminal sends it to the whole group.
        _, errors = process.communicate(timeout=60)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert "worker" not in errors
    assert len(list((tmp_path / "run/checkpoints").iterdir())) == 1


def test_bfloat16_trains_float32_weights(tmp_path: Path) -> None:
    # Accelerate allows one precision per process.
    with start_process(tmp_path, run__precision="bfloat16") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    recipe = tiny_recipe(tmp_path)
    exact = train(BlurTask(recipe), recipe, tmp_path / "exact")
    mixed = load_file(tmp_path / "run/best.safetensors")
    assert {value.dtype for value in mixed.values()} == {torch.float32, torch.int64}
    assert read_best(tmp_path / "run").value == pytest.approx(exact.best.value, rel=0.05)
    assert read_best(tmp_path / "run").value != exact.best.value


def test_groups_keep_their_own_learning_rate(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, run__steps=1, optimiser__kind="adam", ema__decay=0)
    task = BlurTask(recipe)
    train(task, recipe, tmp_path / "run")
    torch.manual_seed(7)
    before = task.build().state_dict()
    after = load_file(tmp_path / "run/best.safetensors")
    # Adam's first step is the learning rate in the direction of the gradient's sign; the warm-up has a third of it.
    moved = {name: float((after[name] - before[name]).abs().median()) for name in ("4.weight", "4.bias")}
    assert moved == pytest.approx({"4.weight": 0.02 / 3, "4.bias": 0.01 / 3}, rel=1e-3)


@pytest.mark.parametrize("clip_norm", [0, 1])
def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path, clip_norm: int) -> None:
    recipe = tiny_recipe(tmp_path, optimiser__clip_norm=clip_norm)
    with pytest.raises(HeadroomError, match=r"step 11 gives total inf.*step-00000008"):
        train(BlurTask(recipe, poisoned=10), recipe, tmp_path / "run")


def test_ctrl_c_saves_and_the_resumed_run_ends_the_same(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path)

    def interrupt(done: int, *_: object) -> None:
        if done == 10:
            os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(BlurTask(recipe), recipe, tmp_path / "run", progress=interrupt)
    assert signal.getsignal(signal.SIGINT) is handler
    assert (tmp_path / "run/checkpoints/step-00000011").is_dir()
    resumed = train(BlurTask(recipe), recipe, tmp_path / "run", resume=True)
    assert resumed.best == train(BlurTask(recipe), recipe, tmp_path / "whole").best


def test_a_thread_can_train(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, run__steps=2)
    thread = threading.Thread(target=train, args=(BlurTask(recipe), recipe, tmp_path / "run"))
    thread.start()
    thread.join()
    assert read_best(tmp_path / "run").step == 2


def test_torch_settings_are_given_back(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, run__steps=1, run__threads=2)
    train(BlurTask(recipe), recipe, tmp_path / "run")
    assert torch.get_num_threads() == 1
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_folder_holds_one_run(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, run__steps=2)
    train(BlurTask(recipe), recipe, tmp_path / "run")
    with pytest.raises(UsageError, match="holds a run already"):
        train(BlurTask(recipe), recipe, tmp_path / "run")
    other = tiny_recipe(tmp_path, run__steps=3, optimiser__learning_rate=0.5, run__log_every=9)
    with pytest.raises(UsageError, match=r"another run.steps, optimiser.learning_rate\."):
        train(BlurTask(other), other, tmp_path / "run", resume=True)
    paced = tiny_recipe(tmp_path, run__steps=2, run__checkpoint_every=9)
    train(BlurTask(paced), paced, tmp_path / "run", resume=True)


def test_export_packs_float16_with_the_story_of_the_run(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, run__steps=2)
    best = train(BlurTask(recipe), recipe, tmp_path / "run").best
    export(tmp_path / "run", tmp_path / "blur.safetensors")
    packed, full = (load_file(tmp_path / name) for name in ("blur.safetensors", "run/best.safetensors"))
    assert packed.keys() == full.keys()
    assert all(torch.equal(packed[name], full[name].to(packed[name].dtype)) for name in full)
    assert packed["0.weight"].dtype == torch.float16
    metadata = check_header(tmp_path / "blur.safetensors")
    assert (metadata["method"], metadata["preset"], int(metadata["step"])) == ("blur", "tiny", best.step)
    assert float(metadata["value"]) == best.value


def test_export_leaves_out_what_other_files_hold(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, run__steps=2)
    train(BlurTask(recipe), recipe, tmp_path / "run")
    export(tmp_path / "run", tmp_path / "bias.safetensors", prefix="0.b")
    assert load_file(tmp_path / "bias.safetensors").keys() == {"0.bias"}
    export(tmp_path / "run", tmp_path / "weight.safetensors", choose=lambda state: {"small": state["0.weight"]})
    assert load_file(tmp_path / "weight.safetensors").keys() == {"small"}


def test_export_before_the_first_validation(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        export(tmp_path, tmp_path / "weights.safetensors")
