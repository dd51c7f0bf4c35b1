"""`headroom generate`, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]
SMALL = ("--method", "latent_prior", "--size", "64x32", "--steps", "2")


def test_a_picture_and_its_facts(tmp_path: Path, run: Run, capsys: Capture) -> None:
    out = tmp_path / "made" / "sky.png"
    assert run("generate", "-o", out, *SMALL, "--seed", "3", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["outputs"] == [str(out)]
    assert (record["width"], record["height"], record["seed"]) == (64, 32, 3)
    assert record["generated"] is True
    assert "input" not in record
    with Image.open(out) as picture:
        assert picture.size == (64, 32)
    assert run("inspect", out, "--json") == 0
    assert json.loads(capsys.readouterr().out)["provenance"]["generated"] is True


def test_each_of_many_can_be_drawn_again(tmp_path: Path, run: Run, capsys: Capture) -> None:
    assert run("generate", "-o", tmp_path / "sky.png", *SMALL, "--seed", "4", "--count", "2") == 0
    names = [tmp_path / "sky-4.png", tmp_path / "sky-5.png"]
    assert capsys.readouterr().out.split() == [str(name) for name in names]
    assert run("generate", "-o", tmp_path / "again.png", *SMALL, "--seed", "5") == 0
    assert (tmp_path / "again.png").read_bytes() == names[1].read_bytes()
    assert names[0].read_bytes() != names[1].read_bytes()
    assert run("generate", "-o", tmp_path / "sky.png", *SMALL, "--seed", "4", "--count", "2") == 0
    assert "2 of 2 exist already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--size", "64by32"], "--size 64by32: is no width and height"),
        (["--size", "64x32", "--panorama"], ""),
        (["--size", "96x96", "--panorama"], "twice as wide as high"),
        (["--prompt", "a lamp"], "reads no words"),
        (["--method", "hybrid_ae"], "hybrid_ae is a method to expand"),
        (["--format", "jpeg"], "JPEG is written to .jpg files"),
        (["--preview"], "is for any screen, so it has no preview"),
    ],
)
def test_wrong_words_leave_nothing_behind(
    tmp_path: Path, run: Run, capsys: Capture, words: list[str], problem: str
) -> None:
    out = tmp_path / "sky.png"
    assert run("generate", "-o", out, *SMALL, *words) == (2 if problem else 0)
    assert problem in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == ([] if problem else [out])


def test_an_existing_picture_stays(tmp_path: Path, run: Run, capsys: Capture) -> None:
    out = tmp_path / "sky.png"
    out.write_text("mine")
    assert run("generate", "-o", out, *SMALL) == 2
    assert "Add --force" in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_no_picture_of_this_kind_is_hdr(tmp_path: Path, run: Run, capsys: Capture) -> None:
    assert run("generate", "-o", tmp_path / "sky.exr", *SMALL) == 2
    assert "names no format for photos" in capsys.readouterr().err
