"""`headroom bench datasets`, and the data sets that need no file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def test_every_data_set_is_listed(run: Run, capsys: Capture) -> None:
    assert run("bench", "datasets") == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["DATASET", "VERB", "HOLDS"]
    words = [row.split()[0] for row in rows]
    assert {"tiny:photos", "synth:FOLDER", "hdr-real:FOLDER", "sen:FOLDER", "ntire-brackets:FOLDER"} <= set(words)
    assert max(map(len, rows)) < 140
    assert run("bench", "datasets", "--json") == 0
    assert [json.loads(line)["dataset"] for line in capsys.readouterr().out.splitlines()] == words


def test_one_is_checked(tmp_path: Path, photo: Path, run: Run, capsys: Capture) -> None:
    assert run("bench", "datasets", f"places365:{tmp_path}", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["items"] == "1"
    assert len(record["split_sha256"]) == 64
    assert run("bench", "datasets", f"hdr-real:{tmp_path}") == 1
    assert "holds neither LDR_in" in capsys.readouterr().err
    assert run("bench", "datasets", "nothing:here") == 2
    assert "bench datasets" in capsys.readouterr().err


def test_every_command_runs_at_once(tmp_path: Path, run: Run, capsys: Capture) -> None:
    for method, dataset in (("linear", "tiny:photos"), ("debevec", "tiny:brackets")):
        assert run("bench", "infer", method, dataset, "-o", tmp_path / method) == 0
        assert run("bench", "score", tmp_path / method, dataset) == 0
    results = [tmp_path / "linear", tmp_path / "debevec"]
    assert run("bench", "table", *results, "-o", tmp_path / "table.html", "--pictures", 1) == 0
    assert (tmp_path / "table.html").read_text().count("<h3>") == 2
    assert run("bench", "study", tmp_path / "linear", tmp_path / "linear", "-o", tmp_path / "study.html") == 2
    capsys.readouterr()
