"""`headroom inspect` in words, as JSON and as a picture."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import headroom
from headroom.cli.proof import exposures_ev, overlay, shrink, slice_at

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def test_a_photo_in_json(photo: Path, run: Run, capsys: Capture) -> None:
    assert run("inspect", photo, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["container"], record["bit_depth"]) == ("photo", "jpeg", 8)
    assert (record["width"], record["height"], record["curve"]) == (160, 120, "srgb")
    clipped = (np.asarray(Image.open(photo)) == 255).any(axis=-1).mean()
    assert clipped <= record["clipped_share"] < 2 * clipped
    assert record["headroom_stops"] == pytest.approx(0, abs=0.01)


def test_an_hdr_file_in_words(tmp_path: Path, run: Run, capsys: Capture) -> None:
    pixels = np.full((20, 30, 3), 0.25, np.float32)
    pixels[5, 5] = 8.0
    path = tmp_path / "light.pfm"
    path.write_bytes(b"PF\n30 20\n-1.0\n" + pixels[::-1].astype("<f4").tobytes())
    assert run("inspect", path) == 0
    words = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "30 x 20" in words["size"]
    assert "3.00 stops" in words["headroom"]
    assert "5.0 stops" in words["range"]


def test_a_gain_map_is_found(photo: Path, run: Run, capsys: Capture, untrained_weights: Path) -> None:
    out = photo.with_name("out.jpg")
    run("expand", photo, "-o", out, "--weights", untrained_weights, "--json")
    expanded = json.loads(capsys.readouterr().out)
    run("inspect", out, "--json")
    record = json.loads(capsys.readouterr().out)
    assert record["gain_map_headroom_stops"] == pytest.approx(expanded["headroom_stops"], abs=0.05)
    run("inspect", out)
    assert "gain map" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "exr", "hdr", "avif", "jxl"])
def test_every_hdr_file_says_how_it_was_made(
    photo: Path, run: Run, capsys: Capture, suffix: str, untrained_weights: Path
) -> None:
    out = photo.with_name(f"out.{suffix}")
    assert run("expand", photo, "-o", out, "--weights", untrained_weights, "--exposure", "0.5", "--seed", "3") == 0
    capsys.readouterr()
    run("inspect", out)
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("made by"))
    weights = hashlib.sha256(untrained_weights.read_bytes()).hexdigest()
    facts = ("method hybrid_ae", "preset compact", f"weights_sha256 {weights}", "exposure_ev 0.5", "seed 3")
    for fact in (f"headroom {headroom.__version__}", *facts):
        assert fact in line


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_every_photo_says_how_it_was_made_and_from_what(photo: Path, run: Run, capsys: Capture, suffix: str) -> None:
    expanded, out = photo.with_name("expanded.exr"), photo.with_name(f"out.{suffix}")
    assert run("expand", photo, "-o", expanded, "--method", "linear") == 0
    assert run("convert", expanded, out, "--tone-map", "reinhard") == 0
    capsys.readouterr()
    run("inspect", out)
    lines = capsys.readouterr().out.splitlines()
    (made,) = (line for line in lines if line.startswith("made by"))
    (source,) = (line for line in lines if line.startswith("made from"))
    assert "method convert" in made
    assert "tone_map reinhard" in made
    assert "method linear" in source
    run("inspect", out, "--json")
    assert json.loads(capsys.readouterr().out)["provenance"]["source"]["method"] == "linear"


def test_the_proof_is_a_picture(photo: Path, run: Run) -> None:
    proof = photo.with_name("proof.png")
    assert run("inspect", photo, "--proof", proof) == 0
    with Image.open(proof) as picture:
        assert picture.width > 3 * 160
        assert picture.height > 2 * 120
        orange = np.asarray(picture).astype(int) - (255, 120, 0)
    assert (np.abs(orange).sum(axis=-1) == 0).sum() > 50


@pytest.mark.parametrize("name", ["photo.jpg", "proof.tga"])
def test_a_proof_that_cannot_be_written(photo: Path, run: Run, name: str) -> None:
    before = photo.read_bytes()
    assert run("inspect", photo, "--proof", photo.with_name(name)) == 2
    assert photo.read_bytes() == before


def test_slices_reach_the_brightest_pixel() -> None:
    for stops in (0.0, 2.0, 4.4, 14.0):
        exposures = exposures_ev(np.full((1, 1, 3), 2.0**stops, np.float32))
        assert exposures[0] == 0
        assert -exposures[-1] >= stops
        assert np.allclose(np.diff(exposures, 2), 0)


def test_shrinking_keeps_the_light() -> None:
    image = np.random.default_rng(0).random((960, 480, 3), dtype=np.float32) * 10
    small = shrink(image, 480)
    assert small.shape == (480, 240, 3)
    assert np.allclose(small.mean(axis=(0, 1)), image.mean(axis=(0, 1)), rtol=1e-4)
    assert shrink(image[..., 0], 4000).shape == (960, 480)


def test_slices_and_masks_of_known_light() -> None:
    grey = np.full((2, 2, 3), 0.5, np.float32)
    assert np.asarray(slice_at(grey, 0)).max() == 188  # sRGB code of half of white
    assert np.asarray(slice_at(grey * 100, 0)).min() == 255
    assert tuple(np.asarray(overlay(grey, np.ones((2, 2), np.float32)))[0, 0]) == (255, 120, 0)


def test_the_light_that_a_file_states(tmp_path: Path, run: Run, capsys: Capture) -> None:
    light = tmp_path / "light.pfm"
    light.write_bytes(b"PF\n2 1\n-1.0\n" + np.array([4, 4, 4, 1, 0, 1], "<f4").tobytes())
    for suffix, expected in (("png", "MaxCLL 812"), ("avif", "MaxFALL 5"), ("jxl", "intensity target 203 cd/m2")):
        run("convert", light, tmp_path / f"a.{suffix}")
        capsys.readouterr()
        assert run("inspect", tmp_path / f"a.{suffix}") == 0
        assert expected in capsys.readouterr().out
