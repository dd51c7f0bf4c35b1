"""`headroom bench study`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headroom.image import Hdr
from headroom.io import write_hdr

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def save_answers(path: Path, study: str, choices: str) -> Path:
    """Write a person's answers: l, r or s for each pair, of which A stands on the left."""
    words = {"l": "left", "r": "right", "s": "same"}
    answers = [
        {"image": str(number), "left": "A", "right": "B", "choice": words[choice], "seconds": 2.5}
        for number, choice in enumerate(choices)
    ]
    path.write_text(json.dumps({"study": study, "answers": answers}))
    return path


def test_a_page_is_written(tmp_path: Path, run: Run, capsys: Capture) -> None:
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        for name in ("1", "2", "3"):
            write_hdr(Hdr(np.full((8, 8, 3), 0.3, np.float32)), tmp_path / folder / f"{name}.pfm")
    folders = [tmp_path / name for name in "abc"]
    assert run("bench", "study", *folders, "-o", tmp_path / "s.html", "--images", 2) == 0
    assert capsys.readouterr() == (f"{tmp_path / 's.html'}\n", "6 pairs\n")
    page = (tmp_path / "s.html").read_bytes()
    assert run("bench", "study", *folders, "-o", tmp_path / "s.html", "--images", 2) == 0
    assert (tmp_path / "s.html").read_bytes() == page
    assert run("bench", "study", *folders) == 2
    assert run("bench", "study", tmp_path / "s.html", "-o", tmp_path / "t.html") == 2
    (tmp_path / "b" / "1.pfm").write_bytes(b"PF\n")
    assert run("bench", "study", *folders, "-o", tmp_path / "t.html") == 1
    assert "1.pfm" in capsys.readouterr().err
    assert not (tmp_path / "t.html").exists()


def test_answers_are_counted(tmp_path: Path, run: Run, capsys: Capture) -> None:
    people = [save_answers(tmp_path / "1.json", "x", "lllls"), save_answers(tmp_path / "2.json", "x", "llllrr")]
    copy = save_answers(tmp_path / "3.json", "x", "lllls")
    assert run("bench", "study", "--count", *people, copy) == 0
    captured = capsys.readouterr()
    assert captured.err == f"{copy}: is a copy of another file and counts once\n11 answers of 2 people\n"
    rows = [line.split() for line in captured.out.splitlines()]
    assert rows[0] == ["METHOD", "AGAINST", "PREFERRED", "OF", "SAME", "SHARE", "95", "%", "P"]
    assert rows[1] == ["A", "B", "8", "10", "1", "80.0%", "49.0%", "to", "94.3%", "0.11"]
    assert rows[2] == ["B", "A", "2", "10", "1", "20.0%", "5.7%", "to", "51.0%", "0.11"]
    assert run("bench", "study", "--count", *people, "--json") == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (first["method"], first["against"], first["preferred"], first["p"]) == ("A", "B", 8, 0.109375)


def test_a_bad_file_costs_one_line(tmp_path: Path, run: Run, capsys: Capture) -> None:
    good = save_answers(tmp_path / "1.json", "x", "l")
    (tmp_path / "2.json").write_text("{")
    assert run("bench", "study", "--count", good, tmp_path / "2.json") == 1
    captured = capsys.readouterr()
    assert "2.json: holds no answers" in captured.err
    assert "100.0%" in captured.out
    assert run("bench", "study", "--count", good, save_answers(tmp_path / "3.json", "y", "l")) == 2
    assert "Count one at a time" in capsys.readouterr().err
