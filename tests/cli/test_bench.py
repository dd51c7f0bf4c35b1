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
