"""`headroom train` before the first step: recipes, overrides and data that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., int]


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("magic", [], "no method 'magic'"),
        ("linear", [], "linear: has nothing to train"),
        ("hybrid_ae", ["--set", "run.stepz=3"], "unknown key run.stepz"),
        ("hybrid_ae", ["--steps", "5", "--set", "run.batch_size=none"], "run.batch_size"),
        ("hybrid_ae", ["--debug", "--recipe", "other.toml"], "--recipe and --debug both name a recipe"),
        ("hybrid_ae", ["--recipe", "missing.toml"], "missing.toml: cannot be read"),
    ],
)
def test_wrong_usage(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str], method: str, options: list[str], message: str
) -> None:
    assert run("train", method, "--data", tmp_path, "--out", tmp_path / "run", *options) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_recipe_that_ships_is_found_by_its_name(tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    # It is read and belongs to the method, so that what is missing is the data.
    assert run("train", "lf_diff", "--data", tmp_path, "--out", tmp_path / "run", "--recipe", "recipe_stage2.toml") == 1
    assert "holds no panorama of the train split" in capsys.readouterr().err


def test_a_recipe_of_another_method(tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[run]\nmethod = "other"\npreset = "small"\nsteps = 1\nbatch_size = 1\n[optimiser]\nlearning_rate = 1e-3\n'
    )
    assert run("train", "hybrid_ae", "--data", tmp_path, "--out", tmp_path / "run", "--recipe", recipe) == 2
    assert "is a recipe of other, not of hybrid_ae" in capsys.readouterr().err


@pytest.mark.parametrize("recipe", [[], ["--debug"]], ids=["full", "debug"])
def test_a_folder_without_panoramas(
    tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str], recipe: list[str]
) -> None:
    assert run("train", "hybrid_ae", "--data", tmp_path, "--out", tmp_path / "run", *recipe) == 1
    assert str(tmp_path) in capsys.readouterr().err
