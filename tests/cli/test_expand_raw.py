"""`headroom expand` and `headroom inspect` on camera RAW."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rawpy")
pytest.importorskip("pillow_heif")

from makers import dng

from headroom.io import read_hdr, read_photo

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Return a DNG of a lamp before a dark wall."""
    y, x = np.mgrid[:80, :120]
    light = 0.1 + 4 * np.exp(-((y - 40) ** 2 + (x - 60) ** 2) / 200)
    path = tmp_path / "in" / "lamp.dng"
    path.parent.mkdir()
    path.write_bytes(dng(np.minimum(light[..., None] * [0.5, 1.0, 0.7], 1)))
    return path


def test_a_file_of_light_with_its_mask(raw: Path, run: Run, capsys: Capture) -> None:
    out = raw.with_name("lamp.exr")
    assert run("expand", raw, "-o", out, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    hdr = read_hdr(out)
    assert record["recovered_share"] == pytest.approx(hdr.recovered.mean(), abs=1e-6)
    assert 0.02 < hdr.recovered.mean() < 0.2
    assert record["headroom_stops"] > 1.1  # of the last channel's clip level
    measured = hdr.recovered == 0
    np.testing.assert_allclose(hdr.pixels[measured], read_hdr(raw).pixels[measured], rtol=2**-11, atol=1e-6)
    middle = hdr.pixels[40, 60]
    assert middle.max() / middle.min() < 1.5  # the lamp is white, not magenta


def test_a_folder_of_raw_and_jpeg(raw: Path, photo: Path, run: Run, untrained_weights: Path) -> None:
    photo.rename(raw.with_suffix(".jpg"))
    out = raw.parent.parent / "out"
    assert run("expand", raw.parent, "-o", out, "--weights", untrained_weights) == 0
    assert sorted(path.name for path in out.iterdir()) == ["lamp.dng.jpg", "lamp.jpg.jpg"]
    developed = read_photo(out / "lamp.dng.jpg")
    assert developed.gain_map is not None
    assert developed.codes[40, 60].min() > 230


def test_inspect_says_what_is_clipped(raw: Path, run: Run, capsys: Capture) -> None:
    assert run("inspect", raw, "--json", "--proof", raw.with_suffix(".png")) == 0
    record = json.loads(capsys.readouterr().out)
    red, green, blue = record["clipped_share_rgb"]
    assert 0 < red < blue < green < 0.2
    assert (record["container"], record["bit_depth"]) == ("raw", 14)


def test_nothing_is_clipped(raw: Path, run: Run, capsys: Capture) -> None:
    raw.write_bytes(dng(np.zeros((40, 60, 3))))
    assert run("expand", raw, "-o", raw.with_suffix(".exr")) == 0
    assert "nothing is clipped" in capsys.readouterr().err


def test_damage_and_a_missing_package_are_told(
    raw: Path, run: Run, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = raw.read_bytes()
    raw.write_bytes(content[: len(content) // 2])
    assert run("expand", raw, "-o", raw.with_suffix(".exr")) == 1
    assert "lamp.dng: the camera RAW data are damaged" in capsys.readouterr().err
    raw.write_bytes(content)
    monkeypatch.setitem(sys.modules, "rawpy", None)
    assert run("expand", raw, "-o", raw.with_suffix(".exr")) == 3
    assert "pip install 'headroom-hdr[raw]'" in capsys.readouterr().err
    assert not raw.with_suffix(".exr").exists()
