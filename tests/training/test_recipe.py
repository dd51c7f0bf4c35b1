from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tiny import RECIPE, tiny_recipe

from headroom.errors import UsageError
from headroom.training.recipe import Recipe, Table, read_recipe


class CropTable(Table):
    crop_px: int
    modes: tuple[str, ...] = ("flip",)


def test_defaults_and_values(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path)
    assert (recipe.run.method, recipe.run.steps, recipe.run.precision) == ("blur", 24, "float32")
    assert (recipe.optimiser.learning_rate, recipe.optimiser.betas) == (0.02, (0.9, 0.999))
    assert (recipe.ema.decay, recipe.data, recipe.loss) == (0.9, {}, {})


def test_a_recipe_is_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        tiny_recipe(tmp_path).run.steps = 3


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("run.steps", "7", 7),
        ("run.steps", 7, 7),
        ("run.preset", "compact", "compact"),
        ("run.tensorboard", "true", True),
        ("optimiser.learning_rate", "1e-3", 1e-3),
        ("optimiser.betas", "[0.5, 0.9]", (0.5, 0.9)),
        ("data.camera.iso", "100", {"iso": 100}),
    ],
)
def test_overrides(tmp_path: Path, key: str, text: str | int, value: Any) -> None:
    table, name = key.split(".")[:2]
    recipe = tiny_recipe(tmp_path, **{key.replace(".", "__"): text})
    section = getattr(recipe, table)
    assert (section[name] if isinstance(section, dict) else getattr(section, name)) == value


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"run.stepz": 3}, r"tiny\.toml: unknown key run\.stepz; known keys here are method, preset, seed, steps"),
        ({"steps": 3}, r"unknown key steps; known keys here are run, optimiser, ema, data, loss"),
        ({"run.steps": 0}, r"run\.steps = 0: input should be greater than or equal to 1"),
        ({"run.steps": "many"}, r"run\.steps = 'many': input should be a valid integer"),
        ({"run.precision": "float16"}, r"run\.precision = 'float16': input should be 'float32' or 'bfloat16'"),
        ({"run.method": "../x"}, r"run\.method = '\.\./x'"),
        ({"optimiser.betas": "[0.9, 1.0]"}, r"optimiser\.betas\.1 = 1\.0: input should be less than 1"),
        ({"run": 3}, r"run = 3: input should be a valid dictionary"),
        ({"data": 3}, r"data = 3: input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, overrides: dict[str, str | int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        tiny_recipe(tmp_path, **overrides)


def test_missing_keys_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("[run]\nmethod = 'a'\npreset = 'b'\nbatch_size = 1\n")
    with pytest.raises(UsageError, match=r"empty\.toml: run\.steps is missing; optimiser is missing\."):
        read_recipe(tmp_path / "empty.toml")


def test_free_tables_are_read_by_the_tasks_own_model(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, data__crop_px=128)
    assert recipe.table("data", CropTable) == CropTable(crop_px=128)
    wrong = tiny_recipe(tmp_path, data__crop=128)
    with pytest.raises(
        UsageError, match=r"tiny\.toml: data\.crop_px is missing; unknown key data\.crop; known .* crop_px"
    ):
        wrong.table("data", CropTable)


def test_a_debug_twin_holds_only_differences(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "debug.toml").write_text('base = "recipe.toml"\n[run]\nsteps = 50\n[ema]\nwarmup = false\n')
    full, debug = read_recipe(tmp_path / "recipe.toml"), read_recipe(tmp_path / "debug.toml", {"run.seed": 3})
    assert full.differences(debug) == ["run.seed", "run.steps", "ema.warmup"]
    assert (debug.run.batch_size, debug.ema.decay) == (4, 0.9)


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ('"../recipe.toml"', "plain name"),
        ("3", "plain name"),
        ('"debug.toml"', "has a base itself"),
        ('"absent.toml"', r"absent\.toml: cannot be read"),
    ],
)
def test_a_base_is_one_file_of_the_same_folder(tmp_path: Path, base: str, message: str) -> None:
    (tmp_path / "debug.toml").write_text(f"base = {base}")
    with pytest.raises(UsageError, match=message):
        read_recipe(tmp_path / "debug.toml")


@pytest.mark.parametrize("content", [b"[run", b"\xff\xfe"])
def test_other_content_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "recipe.toml").write_bytes(content)
    with pytest.raises(UsageError, match=r"recipe\.toml: is not TOML"):
        read_recipe(tmp_path / "recipe.toml")


def test_pace_may_change_on_resume(tmp_path: Path) -> None:
    recipe = tiny_recipe(tmp_path, data__a=1)
    assert recipe.differences(tiny_recipe(tmp_path, data__a=1, run__log_every=2, run__workers=3)) == []
    assert recipe.differences(tiny_recipe(tmp_path, data__b=1)) == ["data.a", "data.b"]
    assert Recipe.model_validate_json(recipe.model_dump_json()).differences(recipe) == []


def test_recipes_do_not_load_torch() -> None:
    code = "import sys, headroom.training.recipe; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
