"""`headroom expand` from file to file, checked with other readers."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import OpenImageIO
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


def read_exr(path: Path) -> NDArray[np.float32]:
    return np.asarray(OpenImageIO.ImageBuf(str(path)).get_pixels(OpenImageIO.FLOAT))[..., :3]


def read_with_opencv(path: Path) -> NDArray[np.float32]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))[..., ::-1]


def read_gain_map_jpeg(path: Path) -> NDArray[np.float32]:
    return np.asarray(imagecodecs.ultrahdr_decode(path.read_bytes(), dtype="float16"), np.float32)[..., :3]


READERS: dict[str, Callable[[Path], NDArray[np.float32]]] = {
    "exr": read_exr,
    "hdr": read_with_opencv,
    "pfm": read_with_opencv,
    "tif": tifffile.imread,
    "jpg": read_gain_map_jpeg,
}


def linearised(path: Path) -> NDArray[np.float64]:
    """Invert the sRGB curve (IEC 61966-2-1) of what Pillow decodes."""
    codes = np.asarray(Image.open(path), np.float64) / 255
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("suffix", READERS)
def test_every_format_holds_the_photo(photo: Path, run: Run, capsys: Capture, suffix: str) -> None:
    out = photo.with_name(f"out.{suffix}")
    assert run("expand", photo, "-o", out, "--method", "linear") == 0
    assert capsys.readouterr().out == f"{out}\n"
    pixels, expected = READERS[suffix](out), linearised(photo)
    assert pixels.shape == expected.shape
    # RGBE has 8 bits for the largest channel, a gain map 8 bits a pixel.
    assert np.abs(pixels - expected).max() < 0.02


def test_preview_lies_beside(photo: Path, run: Run, capsys: Capture) -> None:
    assert run("expand", photo, "-o", photo.with_name("out.exr"), "--method", "linear", "--preview") == 0
    assert [Path(line).name for line in capsys.readouterr().out.splitlines()] == ["out.exr", "out.preview.jpg"]
    with Image.open(photo.with_name("out.preview.jpg")) as preview:
        assert preview.size == (160, 120)


def test_json_says_what_was_done(photo: Path, run: Run, capsys: Capture, untrained_weights: Path) -> None:
    out = photo.with_name("out.exr")
    assert run("expand", photo, "-o", out, "--weights", untrained_weights, "--seed", "3", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["status"], record["input"], record["outputs"]) == ("done", str(photo), [str(out)])
    assert (record["method"], record["preset"], record["seed"]) == ("hybrid_ae", "compact", 3)
    assert record["weights_sha256"] == hashlib.sha256(untrained_weights.read_bytes()).hexdigest()
    assert record["curve"] == "srgb"
    assert record["seconds"] > 0
    assert record["warnings"] == []
    clipped = (np.asarray(Image.open(photo)) == 255).any(axis=-1).mean()
    assert clipped <= record["recovered_share"] < 2 * clipped


@pytest.mark.parametrize(("option", "value", "stops"), [("--exposure", "1.5", 1.5), ("--max-headroom", "0", 0.0)])
def test_options_in_stops(
    photo: Path, run: Run, capsys: Capture, untrained_weights: Path, option: str, value: str, stops: float
) -> None:
    out = photo.with_name("out.exr")
    words = ["expand", photo, "-o", out, "--weights", untrained_weights, "--json"]
    assert run(*words) == 0
    plain = read_exr(out)
    assert run(*words, "--force", option, value) == 0
    changed = read_exr(out)
    if option == "--exposure":
        assert np.allclose(changed, plain * 2**stops, rtol=2e-3)
    else:
        assert changed.max() == pytest.approx(2**stops, rel=2e-3)


def test_a_photo_without_clipping_is_said_to_be_one(
    photo: Path, run: Run, capsys: Capture, untrained_weights: Path
) -> None:
    Image.new("RGB", (64, 64), (90, 120, 150)).save(photo)
    assert run("expand", photo, "-o", photo.with_name("out.exr"), "--weights", untrained_weights) == 0
    assert "nothing is clipped" in capsys.readouterr().err


def test_a_bad_file_costs_one_line(photo: Path, run: Run, capsys: Capture) -> None:
    (photo.parent / "bad.jpg").write_bytes(photo.read_bytes()[:300])
    (photo.parent / "not.png").write_text("no picture")
    out = photo.parent / "out"
    assert run("expand", photo.parent, "-o", out, "--method", "linear", "--format", "pfm") == 1
    captured = capsys.readouterr()
    assert captured.out == f"{out / 'photo.pfm'}\n"
    bad, wrong, total = captured.err.splitlines()
    assert "bad.jpg" in bad
    assert "not.png" in wrong
    assert total == "2 of 3 failed"
    assert [path.name for path in out.iterdir()] == ["photo.pfm"]


def test_a_missing_file_is_1(tmp_path: Path, run: Run, capsys: Capture) -> None:
    assert run("expand", tmp_path / "none.jpg", "-o", tmp_path / "out.exr") == 1
    assert str(tmp_path / "none.jpg") in capsys.readouterr().err


def test_an_unknown_method_is_2(photo: Path, run: Run, capsys: Capture) -> None:
    assert run("expand", photo, "-o", photo.with_name("out.exr"), "--method", "magic") == 2
    assert "magic" in capsys.readouterr().err


def test_equal_stems_make_two_files(photo: Path, run: Run) -> None:
    Image.open(photo).save(photo.with_suffix(".png"))
    out = photo.parent / "out"
    assert run("expand", photo, photo.with_suffix(".png"), "-o", out, "--method", "linear", "--format", "hdr") == 0
    assert {path.name for path in out.iterdir()} == {"photo.jpg.hdr", "photo.png.hdr"}


def test_an_existing_file_is_replaced_only_with_force(photo: Path, run: Run, capsys: Capture) -> None:
    out = photo.with_name("out.exr")
    out.write_text("mine")
    assert run("expand", photo, "-o", out, "--method", "linear") == 2
    assert "exists already. Add --force" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert run("expand", photo, "-o", out, "--method", "linear", "--force") == 0
    assert read_exr(out).shape == (120, 160, 3)


def test_a_batch_goes_on_where_it_stopped(photo: Path, run: Run, capsys: Capture) -> None:
    photo.with_name("second.jpg").write_bytes(photo.read_bytes())
    out = photo.parent / "out"
    out.mkdir()
    (out / "photo.jpg").write_text("done before")
    assert run("expand", photo.parent, "-o", out, "--method", "linear") == 0
    captured = capsys.readouterr()
    assert captured.out == f"{out / 'second.jpg'}\n"
    assert "1 of 2 exist already and are skipped" in captured.err
    assert (out / "photo.jpg").read_text() == "done before"


@pytest.mark.parametrize("name", ["-o.jpg", "a b.jpg", "[red]x.jpg", "日本 é.jpg", "line\nbreak.jpg", "%s.JPG"])
def test_any_file_name(photo: Path, run: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(photo.parent)
    photo.rename(photo.with_name(name))
    assert run("expand", "-o", "out", "--method", "linear", "--", name) == 0
    assert (photo.parent / "out" / Path(name).with_suffix(".jpg")).exists()


def test_a_folder_that_cannot_be_made_is_3(photo: Path, run: Run, capsys: Capture) -> None:
    (photo.parent / "file").touch()
    assert run("expand", photo, "-o", photo.parent / "file" / "out.exr", "--method", "linear") == 3
    assert "cannot be made" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_leaves_whole_files_and_130(photo: Path, interrupt: Callable[..., list[Path]]) -> None:
    photos, out = photo.parent / "photos", photo.parent / "out"
    photos.mkdir()
    for i in range(400):
        (photos / f"{i:03}.jpg").hardlink_to(photo)
    assert 0 < len(interrupt("expand", photos, "--method", "linear", out=out)) < 400


def test_what_was_left_out_is_a_warning(photo: Path, run: Run, capsys: Capture) -> None:
    source = photo.with_name("tagged.png")
    Image.open(photo).save(source, exif=b"Exif\0\0" + b"II*\0" + bytes(70_000))
    assert run("expand", source, "-o", photo.with_name("out.jpg"), "--method", "linear", "--json") == 0
    captured = capsys.readouterr()
    assert "warning: " in captured.err
    assert any("EXIF is larger" in warning for warning in json.loads(captured.out)["warnings"])


def test_alpha_that_is_dropped_is_a_warning(photo: Path, run: Run, capsys: Capture) -> None:
    source, outs = photo.with_name("clear.png"), [photo.with_name(name) for name in ("a.exr", "b.exr", "c.png")]
    image = Image.open(photo).convert("RGBA")
    image.putalpha(128)
    image.save(source)
    assert run("expand", source, "-o", outs[0], "--method", "linear") == 0
    assert run("convert", source, outs[1]) == 0
    assert run("enhance", source, "-o", outs[2]) == 0
    assert capsys.readouterr().err.count("what the file holds besides its picture is left out: alpha") == 3
