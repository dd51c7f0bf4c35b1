"""`headroom expand --video` and `--panorama`, as they are typed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def records(capsys: Capture) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_frames_go_in_the_order_of_their_numbers(
    photo: Path, run: Run, capsys: Capture, untrained_weights: Path
) -> None:
    frames = photo.parent / "frames"
    frames.mkdir()
    for name in ("f10.jpg", "f9.jpg", "f2.jpg"):
        shutil.copy(photo, frames / name)
    out = photo.parent / "out"
    words = ["--weights", untrained_weights, "--format", "exr", "--json"]
    assert run("expand", frames, "-o", out, "--video", *words) == 0
    found = records(capsys)
    assert [Path(str(record["input"])).name for record in found] == ["f2.jpg", "f9.jpg", "f10.jpg"]
    assert [record["flicker_stops"] for record in found] == [None, 0.0, 0.0]  # the same picture three times
    assert {record["smoothing"] for record in found} == {0.8}
    assert {record["seed"] for record in found} == {0}


def test_smoothing_has_its_bounds(photo: Path, run: Run, capsys: Capture) -> None:
    out = photo.parent / "out"
    assert run("expand", photo.parent, "-o", out, "--video", "--smoothing", "1") == 2
    assert "smoothing 1.0: give a number from 0 to 0.98" in capsys.readouterr().err
    assert not out.exists()


def test_smoothing_is_for_videos(photo: Path, run: Run, capsys: Capture) -> None:
    out = photo.parent / "out"
    assert run("expand", photo.parent, "-o", out, "--smoothing", "0.5") == 2
    assert "smoothing 0.5 holds the frames of a video together. Add --video" in capsys.readouterr().err
    assert not out.exists()


def test_a_panorama_is_said_to_be_one(photo: Path, run: Run, capsys: Capture, untrained_weights: Path) -> None:
    words = ["--weights", untrained_weights, "--panorama", "--json"]
    assert run("expand", photo, "-o", photo.with_name("out.exr"), *words) == 0
    (record,) = records(capsys)
    assert record["panorama"] is True
    assert "flicker_stops" not in record
