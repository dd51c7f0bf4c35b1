"""A bad file costs one row, from the photos to the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headroom.image import Hdr
from headroom.io import read_photo, write_hdr

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def dataset(photo: Path, tmp_path: Path) -> str:
    """Return four pairs; the photo of b is cut off, and the scene of c is missing."""
    folder = tmp_path / "set"
    folder.mkdir()
    for name in "abcd":
        (folder / f"{name}.jpg").write_bytes(photo.read_bytes()[: 200 if name == "b" else None])
        write_hdr(Hdr(np.asarray(8 * (read_photo(photo).codes / 255) ** 4, np.float32)), folder / f"{name}.pfm")
    (folder / "c.pfm").unlink()
    return f"pairs:{folder}"


def test_every_program_goes_on(dataset: str, tmp_path: Path, run: Run, capsys: Capture) -> None:
    out = tmp_path / "out"
    assert run("bench", "infer", "linear", dataset, "-o", out) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "3 done, 0 existed, 1 failed"
    whole = (out / "d.exr").read_bytes()
    (out / "d.exr").write_bytes(whole[: len(whole) // 2])

    assert run("bench", "score", out, dataset) == 1
    scores = json.loads((out / "scores.json").read_text())
    assert list(scores["images"]) == ["a"]
    assert scores["errors"].keys() == {"b", "c", "d"}

    capsys.readouterr()
    assert run("bench", "table", out, "-o", tmp_path / "t.html") == 0
    page = (tmp_path / "t.html").read_text()
    assert "<td>1/4</td>" in page
    assert "1 images, 3 failed" in page
    for name in "bcd":
        assert f"<li>{name}: " in page


def test_a_repaired_file_is_all_that_is_done_again(
    dataset: str, photo: Path, tmp_path: Path, run: Run, capsys: Capture
) -> None:
    run("bench", "infer", "linear", dataset, "-o", tmp_path / "out")
    (tmp_path / "set" / "b.jpg").write_bytes(photo.read_bytes())
    capsys.readouterr()
    assert run("bench", "infer", "linear", dataset, "-o", tmp_path / "out") == 0
    assert capsys.readouterr().err == "1 done, 3 existed, 0 failed\n"
