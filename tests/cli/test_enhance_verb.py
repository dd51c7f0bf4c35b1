"""`headroom enhance` from file to file, checked with other readers."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms

from headroom import methods
from headroom.io import read_photo
from headroom.weights.writer import pack

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]
LINEAR = ("--stage1", "linear")
"""The words for a first stage that needs no weights."""


@pytest.fixture(scope="session")
def leaving_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return weights of a first stage that leaves photos as they are."""
    torch.manual_seed(0)
    method = methods.load("sagiri")
    path = tmp_path_factory.mktemp("weights") / "leaving.safetensors"
    pack(method.build(method.presets["compact"].settings).state_dict(), path, {})
    return path


@pytest.fixture
def folder(photo: Path) -> Path:
    """Return a folder with the same photo in many formats."""
    folder = photo.parent / "photos"
    folder.mkdir()
    codes = np.asarray(Image.open(photo))
    exif = Image.Exif()
    exif[0x010E] = "a lamp"
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(codes).save(folder / "a.JPEG", quality=95, exif=exif, icc_profile=icc)
    Image.fromarray(codes).save(folder / "b.webp", exif=exif)
    (folder / "c.png").write_bytes(imagecodecs.png_encode(codes.astype(np.uint16) * 257))
    tifffile.imwrite(folder / "d.tif", codes.astype(np.uint16) * 257, photometric="rgb")
    (folder / "e.avif").write_bytes(imagecodecs.avif_encode(codes, level=90))
    return folder


def test_a_folder_keeps_its_formats(folder: Path, run: Run, capsys: Capture, leaving_weights: Path) -> None:
    out = folder.parent / "out"
    assert run("enhance", folder, "-o", out, "--weights", leaving_weights) == 0
    names = ["a.JPEG", "b.webp", "c.png", "d.tif", "e.jpg"]
    assert capsys.readouterr().out.split() == [str(out / name) for name in names]
    for name, depth in zip(names, (8, 8, 16, 16, 8), strict=True):
        before, after = read_photo(folder / name.replace("e.jpg", "e.avif")), read_photo(out / name)
        assert after.bit_depth == depth
        assert np.abs(after.codes / after.top_code - before.codes / before.top_code).mean() < 0.02
    with Image.open(out / "a.JPEG") as after, Image.open(folder / "a.JPEG") as before:
        assert after.getexif()[0x010E] == "a lamp"
        assert after.info["icc_profile"] == before.info["icc_profile"]
    assert tifffile.imread(out / "d.tif").dtype == np.uint16


def test_one_file_and_what_is_said_about_it(photo: Path, run: Run, capsys: Capture, leaving_weights: Path) -> None:
    out = photo.with_name("out.png")
    assert run("enhance", photo, "-o", out, "--weights", leaving_weights, "--seed", "3", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["status"], record["input"], record["outputs"]) == ("done", str(photo), [str(out)])
    assert (record["method"], record["preset"], record["seed"], record["bit_depth"]) == ("sagiri", "compact", 3, 8)
    assert (record["mask"], record["made_up_share"], record["warnings"]) == ("none", 0, [])
    np.testing.assert_array_equal(np.asarray(Image.open(out)), np.asarray(Image.open(photo)))
    assert run("inspect", out, "--json") == 0
    assert json.loads(capsys.readouterr().out)["provenance"]["weights_sha256"] == record["weights_sha256"]


def test_what_a_format_cannot_hold_is_a_warning(folder: Path, run: Run, capsys: Capture) -> None:
    assert run("enhance", folder / "c.png", "-o", folder / "out.jpg", *LINEAR) == 0
    assert "16 bits became 8" in capsys.readouterr().err
    assert run("enhance", folder / "a.JPEG", "-o", folder.parent / "out", *LINEAR, "--format", "tiff") == 0
    assert capsys.readouterr().err == ""
    assert (folder.parent / "out" / "a.tif").exists()


def test_a_dark_photo_becomes_bright(photo: Path, run: Run) -> None:
    codes = np.asarray(Image.open(photo))
    Image.fromarray(codes // 6).save(photo.with_name("dark.png"))
    out = photo.with_name("out.png")
    assert run("enhance", photo.with_name("dark.png"), "-o", out, *LINEAR) == 0
    assert np.asarray(Image.open(out)).mean() > 2.5 * (codes // 6).mean()


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (["--steps", "0"], 2, "0 steps: give 1 to 1000"),
        (["--strength", "nan"], 2, "strength nan"),
        (["--guidance", "-1"], 2, "guidance -1"),
        (["--seed", "-1"], 2, "seed"),
        (["--prompt", "a sky"], 2, "a prompt steers what is made up"),
        (["--stage1", "lf_diff"], 2, "lf_diff is a method to merge"),
        (["--method", "magic"], 2, "no method 'magic'"),
        (["--format", "exr"], 2, "exr: names no format for photos"),
        (["--format", "jpeg"], 2, "JPEG is written to .jpg files"),
        (["--mask", "none.png"], 1, "none.png"),
        (["--refine-only"], 2, "needs a mask"),
    ],
)
def test_wrong_words_are_explained(
    photo: Path, run: Run, capsys: Capture, words: list[str], code: int, problem: str
) -> None:
    assert run("enhance", photo, "-o", photo.with_name("out.png"), *words) == code
    captured = capsys.readouterr()
    assert problem in captured.err
    assert not captured.out and "Traceback" not in captured.err
    assert not photo.with_name("out.png").exists()


def test_the_photo_itself_is_never_replaced(photo: Path, run: Run, capsys: Capture) -> None:
    assert run("enhance", photo, "-o", photo, *LINEAR, "--force") == 2
    assert "is an input and would be replaced" in capsys.readouterr().err
    assert run("enhance", photo, "-o", photo.parent, *LINEAR, "--force") == 2


def test_existing_files_need_force(photo: Path, run: Run, capsys: Capture) -> None:
    out = photo.with_name("out.jpg")
    out.write_text("mine")
    assert run("enhance", photo, "-o", out, *LINEAR) == 2
    assert "exists already. Add --force" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert run("enhance", photo, "-o", out, *LINEAR, "--force") == 0


def test_hdr_files_and_bad_ones_cost_one_line(photo: Path, run: Run, capsys: Capture) -> None:
    (photo.parent / "bad.jpg").write_bytes(photo.read_bytes()[:300])
    assert run("expand", photo, "-o", photo.with_name("hdr.avif"), "--method", "linear") == 0
    capsys.readouterr()
    out = photo.parent / "out"
    assert run("enhance", photo.parent, "-o", out, *LINEAR) == 1
    captured = capsys.readouterr()
    assert captured.out == f"{out / 'photo.jpg'}\n"
    bad, hdr, total = captured.err.splitlines()
    assert "bad.jpg" in bad and "an HDR image already, not a photo" in hdr and total == "2 of 3 failed"
    assert [path.name for path in out.iterdir()] == ["photo.jpg"]


def test_the_position_can_be_left_out(photo: Path, run: Run) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    Image.open(photo).save(photo.with_name("there.jpg"), exif=exif)
    for words, expected in (((), {1: "N"}), (("--strip-gps",), {})):
        out = photo.with_name("out.jpg")
        assert run("enhance", photo.with_name("there.jpg"), "-o", out, *LINEAR, "--force", *words) == 0
        with Image.open(out) as written:
            assert dict(written.getexif().get_ifd(0x8825)) == expected


def test_a_mask_of_any_depth_is_read(photo: Path, run: Run, capsys: Capture) -> None:
    wrong = photo.with_name("mask.png")
    wrong.write_bytes(imagecodecs.png_encode(np.full((50, 50), 65_535, np.uint16)))
    if not any(preset.capabilities.invents_content for preset in methods.load("sagiri").presets.values()):
        pytest.skip("no method makes content up yet")
    assert run("enhance", photo, "-o", photo.with_name("out.png"), "--mask", wrong) == 1
    assert "mask of 50 x 50 pixels: does not fit a photo of 160 x 120" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_leaves_whole_files_and_130(photo: Path, interrupt: Callable[..., list[Path]]) -> None:
    photos, out = photo.parent / "photos", photo.parent / "out"
    photos.mkdir()
    for i in range(400):
        (photos / f"{i:03}.jpg").hardlink_to(photo)
    assert 0 < len(interrupt("enhance", photos, *LINEAR, out=out)) < 400
