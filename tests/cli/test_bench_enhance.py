"""`headroom bench` of photos to enhance, from painted scenes to a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headroom.io import read_photo

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]
SET = "tiny:exposure-errors"


def test_the_floor_is_made_scored_and_shown(tmp_path: Path, run: Run, capsys: Capture) -> None:
    out = tmp_path / "input"
    assert run("bench", "infer", "input", SET, "-o", out) == 0
    assert capsys.readouterr() == (f"{out}\n", "4 done, 0 existed, 0 failed\n")
    assert read_photo(out / "error_002.png").codes.dtype == np.uint8
    assert run("bench", "score", out, SET) == 0
    headings, row = (line.split() for line in capsys.readouterr().out.splitlines())
    assert headings[1:6] == ["IMAGES", "PSNR", "P90", "WORST", "SSIM"]
    assert row[1] == "4/4"
    assert float(row[4]) <= float(row[3]) <= float(row[2]) < 20
    scores = json.loads((out / "scores.json").read_text())
    assert scores["mean"]["unknown_share"] == pytest.approx(19.2, abs=0.1)
    assert scores["mean"]["known_change"] is None
    assert run("bench", "score", out, SET, "--against", out, "--metrics", "known_change") == 0
    assert json.loads((out / "scores.json").read_text())["worst"]["known_change"] == 0
    assert run("bench", "table", out, "-o", tmp_path / "table.html", "--pictures", 1) == 0
    page = (tmp_path / "table.html").read_text()
    assert "As they are" in page
    assert "one brightness" not in page


def test_bad_calls_say_what_is_wrong(tmp_path: Path, run: Run, capsys: Capture) -> None:
    assert run("bench", "infer", "input", SET, "-o", tmp_path, "--mask", "auto") == 2
    assert "Leave them out" in capsys.readouterr().err
    assert run("bench", "infer", "input", "tiny:photos", "-o", tmp_path) == 2
    assert run("bench", "score", tmp_path, SET, "--metrics", "stops") == 2
    assert "not defined for what enhance makes" in capsys.readouterr().err
    assert run("bench", "score", tmp_path, "tiny:photos", "--against", tmp_path) == 2


def test_light_is_no_enhanced_photo(tmp_path: Path, run: Run, capsys: Capture) -> None:
    assert run("bench", "infer", "linear", "tiny:photos", "-o", tmp_path) == 0
    for path in tmp_path.glob("*.exr"):
        path.rename(path.with_stem(path.stem.replace("view", "error")))
    capsys.readouterr()
    assert run("bench", "score", tmp_path, SET, "--metrics", "psnr") == 1
    assert "holds light, but enhanced photos are SDR pictures" in capsys.readouterr().err
