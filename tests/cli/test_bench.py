"""`headroom bench infer`."""

from __future__ import annotations

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
    """Return a data set of two equal pairs."""
    folder = tmp_path / "set"
    folder.mkdir()
    scene = np.asarray(8 * (read_photo(photo).codes / 255) ** 4, np.float32)
    for name in ("a", "b"):
        (folder / f"{name}.jpg").write_bytes(photo.read_bytes())
        write_hdr(Hdr(scene), folder / f"{name}.pfm")
    return f"pairs:{folder}"


def test_infer_goes_on_where_it_was(dataset: str, tmp_path: Path, run: Run, capsys: Capture) -> None:
    out = tmp_path / "out"
    assert run("bench", "infer", "linear", dataset, "-o", out) == 0
    assert capsys.readouterr() == (f"{out}\n", "2 done, 0 existed, 0 failed\n")
    assert run("bench", "infer", "linear", dataset, "-o", out) == 0
    assert capsys.readouterr().err == "0 done, 2 existed, 0 failed\n"


def test_a_bad_photo_is_1_and_a_bad_call_2(dataset: str, tmp_path: Path, run: Run, capsys: Capture) -> None:
    (tmp_path / "set" / "a.jpg").write_bytes(b"\xff\xd8\xff nothing")
    assert run("bench", "infer", "linear", dataset, "-o", tmp_path / "out") == 1
    assert "error: a: " in capsys.readouterr().err
    assert run("bench", "infer", "linear", "somewhere", "-o", tmp_path / "out") == 2
    assert run("bench", "infer", "nothing", dataset, "-o", tmp_path / "out") == 2


@pytest.mark.slow
def test_brackets_are_made_merged_and_scored(tmp_path: Path, run: Run, capsys: Capture) -> None:
    panoramas, brackets, results = tmp_path / "panoramas", tmp_path / "brackets", tmp_path / "results"
    panoramas.mkdir()
    light = np.random.default_rng(0).random((64, 128, 3)).astype(np.float32) ** 4
    write_hdr(Hdr(light), panoramas / "vestibule.exr")
    assert run("data", "brackets", panoramas, "-o", brackets, "--count", 1) == 0
    assert capsys.readouterr().out == f"{brackets}\n"
    assert run("data", "brackets", panoramas, "-o", brackets) == 2
    assert run("bench", "infer", "debevec", f"brackets:{brackets}", "-o", results) == 0
    capsys.readouterr()
    assert run("bench", "score", results, f"brackets:{brackets}") == 0
    headings, row = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert headings[:8] == ["RESULTS", "IMAGES", "PSNR-MU", "P90", "WORST", "PSNR-L", "SSIM-MU", "SSIM-L"]
    assert row[1] == "1/1"
    assert row[2] == row[4]
    assert run("bench", "infer", "linear", f"brackets:{brackets}", "-o", tmp_path / "other") == 2
