"""`headroom methods`, `weights` and `data`: what they list agrees with the folders they list."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import headroom
from headroom.cli.console import show_table

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def test_methods(run: Run, capsys: Capture) -> None:
    folders = {path.parent.name for path in Path(headroom.methods.__file__).parent.glob("*/method.py")}
    assert run("methods", "--json") == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {record["method"] for record in records} == folders
    defaults = [record["method"] for record in records if record["default"]]
    assert sorted(defaults) == sorted(folders)
    assert run("methods") == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]} == folders


def test_weights(run: Run, capsys: Capture) -> None:
    assert run("weights", "list", "--json") == 0
    for record in map(json.loads, capsys.readouterr().out.splitlines()):
        assert run("weights", "path", record["name"]) == 0
        content = Path(capsys.readouterr().out.removesuffix("\n")).read_bytes()
        assert hashlib.sha256(content).hexdigest() == record["sha256"]
    assert run("weights", "verify") == 0
    assert run("weights", "list") == 0


def test_data_check_names_the_file_and_what_is_wrong(tmp_path: Path, run: Run, capsys: Capture) -> None:
    (tmp_path / "square.pfm").write_bytes(b"PF\n64 64\n-1.0\n" + np.ones((64, 64, 3), "<f4").tobytes())
    assert run("data", "check", tmp_path) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("square.pfm: is 64 x 64, not 2:1.")
    assert captured.err == "0 of 1 panoramas can be used\n"
    assert run("data", "check", tmp_path, "--json") == 1
    assert "not 2:1" in json.loads(capsys.readouterr().out)["problems"][0]


def test_data_check_of_an_empty_folder(tmp_path: Path, run: Run, capsys: Capture) -> None:
    assert run("data", "check", tmp_path) == 1
    assert "holds no panorama" in capsys.readouterr().err


def test_a_table_is_aligned(capsys: Capture) -> None:
    show_table([("A", "LONG"), ("value", "x\n"), ("y", "")])
    assert capsys.readouterr().out == "A      LONG\nvalue  x\\n\ny\n"
