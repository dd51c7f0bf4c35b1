"""`headroom merge` from files to file, checked with other readers."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import exifread
import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from headroom.io import read_hdr

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]
Light = NDArray[np.float64]

HEIGHT, WIDTH = 120, 160
START = datetime(2026, 5, 1, 12)


def scene(seed: int = 0) -> Light:
    """Return an evening with texture everywhere and a lamp three times as bright as white."""
    coarse = np.random.default_rng(seed).uniform(0, 1, (15, 20, 3)).astype(np.float32)
    texture = np.clip(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), 0, 1)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    lamp = 3 * np.exp(-((y - 40) ** 2 + (x - 60) ** 2) / 150)
    return 0.03 + 0.4 * texture.astype(np.float64) ** 2 + lamp[..., None] * [1.0, 0.9, 0.8]


def codes_of(light: Light) -> NDArray[np.uint8]:
    """Encode with the sRGB curve (IEC 61966-2-1)."""
    light = np.clip(light, 0, 1)
    codes = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * codes).astype(np.uint8)


def take(
    path: Path, ev: float, *, light: Light | None = None, after_s: float = 0, serial: str = "1", exif: bool = True
) -> Path:
    """Photograph a scene at 1/100 s and `ev` stops, with the EXIF block of Pillow, which knows none of ours."""
    block = Image.Exif()
    if exif:
        block[0x0110] = "Test camera"
        details = block.get_ifd(0x8769)
        details[0x9003] = (START + timedelta(seconds=after_s)).strftime("%Y:%m:%d %H:%M:%S")
        details[0xA431] = serial
        details[0x829A], details[0x829D], details[0x8827] = 0.01 * 2**ev, 4.0, 100
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(codes_of((scene() if light is None else light) * 2.0**ev))
    picture.save(path, exif=block, **({"quality": 95, "subsampling": 0} if path.suffix == ".jpg" else {}))
    return path


@pytest.fixture
def frames(tmp_path: Path) -> list[Path]:
    """Return three JPEGs two stops apart."""
    return [
        take(tmp_path / "in" / f"{name}.jpg", ev, after_s=i)
        for i, (name, ev) in enumerate([("a", -2), ("b", 0), ("c", 2)])
    ]


def without_exif(frames: Sequence[Path]) -> None:
    for path in frames:
        with Image.open(path) as picture:
            picture.load()
        picture.save(path, quality=95, subsampling=0)


def lit(path: Path) -> NDArray[np.float32]:
    """Read a gain-map JPEG with libultrahdr."""
    return np.asarray(imagecodecs.ultrahdr_decode(path.read_bytes(), dtype="float16"), np.float32)[..., :3]


def record_of(run: Run, capsys: Capture, *words: str | Path) -> dict:
    capsys.readouterr()
    assert run("merge", *words, "--json") == 0
    return json.loads(capsys.readouterr().out)


# --- what is merged


def test_files_become_the_scene(frames: list[Path], run: Run, capsys: Capture) -> None:
    out = frames[0].parent / "out.exr"
    assert run("merge", *frames, "-o", out) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{out}\n"
    assert captured.err == f"{out}: seen from b.jpg; a.jpg -2.0 EV, b.jpg +0.0 EV, c.jpg +2.0 EV\n"
    hdr = read_hdr(out)
    light = scene()
    assert np.abs(hdr.pixels / light - 1).mean() < 0.03
    assert np.abs(hdr.pixels / light - 1).max() < 0.3
    assert hdr.recovered is not None
    assert not hdr.recovered.any()


def test_a_folder_is_a_bracket_and_their_order_does_not_matter(frames: list[Path], run: Run, capsys: Capture) -> None:
    folder = frames[0].parent
    (folder / "notes.txt").write_text("no photo")
    (folder / "._a.jpg").write_bytes(b"of a Macintosh")
    outs = [folder.parent / f"{name}.pfm" for name in ("folder", "files")]
    assert run("merge", folder, "-o", outs[0]) == 0
    assert run("merge", frames[2], frames[0], frames[1], "-o", outs[1]) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_a_result_in_a_folder_is_called_after_its_frames(frames: list[Path], run: Run, capsys: Capture) -> None:
    out = frames[0].parent.parent / "out"
    assert run("merge", *frames, "-o", out, "--preview") == 0
    assert capsys.readouterr().out.splitlines() == [str(out / "a-c.jpg"), str(out / "a-c.preview.jpg")]
    with Image.open(out / "a-c.preview.jpg") as preview:
        assert preview.size == (WIDTH, HEIGHT)


def test_auto_parts_by_time_camera_and_exposure(tmp_path: Path, run: Run, capsys: Capture) -> None:
    card, out = tmp_path / "card", tmp_path / "out"
    for i, ev in enumerate((-2, 0, 2)):
        take(card / f"{i}.jpg", ev, after_s=i)
        take(card / f"{3 + i}.jpg", ev, after_s=3 + i)  # the same exposures again
        take(card / f"{6 + i}.jpg", ev, after_s=60 + i)  # after a pause
        take(card / f"other{i}.jpg", ev, after_s=i, serial="2")
    take(card / "alone.jpg", 0, after_s=500)
    assert run("merge", "--auto", card, "-o", out, "--format", "hdr", "--method", "debevec") == 0
    captured = capsys.readouterr()
    assert sorted(path.name for path in out.iterdir()) == ["0-2.hdr", "3-5.hdr", "6-8.hdr", "other0-other2.hdr"]
    assert len(captured.out.splitlines()) == 4
    assert "1 photos belong to no bracket" in captured.err
    assert run("merge", "--auto", card, "-o", out, "--format", "hdr", "--method", "debevec") == 0
    assert "4 of 4 exist already and are skipped" in capsys.readouterr().err


def test_auto_goes_on_after_a_bad_bracket(tmp_path: Path, run: Run, capsys: Capture) -> None:
    card, out = tmp_path / "card", tmp_path / "out"
    for i, ev in enumerate((-2, 2)):
        take(card / f"{i}.jpg", ev, after_s=i)
        take(card / f"{2 + i}.jpg", ev, after_s=60 + i)
    content = (card / "1.jpg").read_bytes()
    (card / "1.jpg").write_bytes(content[: len(content) // 2])
    assert run("merge", "--auto", card, "-o", out, "--format", "pfm") == 1
    captured = capsys.readouterr()
    assert captured.out == f"{out / '2-3.pfm'}\n"
    assert "1.jpg" in captured.err
    assert captured.err.splitlines()[-1] == "1 of 2 failed"


# --- exposures, curve and reference


def test_exposures_come_from_the_option_then_a_list_then_exif(frames: list[Path], run: Run, capsys: Capture) -> None:
    out = frames[0].parent.parent / "out.pfm"
    words = [*frames, "-o", out, "--force"]
    assert record_of(run, capsys, *words)["exposures_ev"] == [-2, 0, 2]
    (frames[0].parent / "exposure.txt").write_text("-2.1\n0\n2.1\n")
    assert record_of(run, capsys, *words)["exposures_ev"] == [-2.1, 0, 2.1]
    assert record_of(run, capsys, *words, "--ev=-1.9,0,1.9")["exposures_ev"] == [-1.9, 0, 1.9]


def test_missing_exposures_are_estimated_and_said(frames: list[Path], run: Run, capsys: Capture) -> None:
    without_exif(frames)
    out = frames[0].parent.parent / "out.exr"
    assert run("merge", *frames, "-o", out) == 0
    (warning,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert warning.startswith("warning: a.jpg, b.jpg, c.jpg: no exposure is known, so all were estimated")
    assert warning.endswith("Give --ev if you know.")
    estimates = read_hdr(out).provenance["exposures_ev"]
    np.testing.assert_allclose(estimates, [-2, 0, 2], atol=0.1)
    steps = [float(word.strip(",")) for word in warning.split("pixels: ")[1].split(" EV")[0].split()]
    np.testing.assert_allclose(np.diff(steps), np.diff(estimates), atol=0.011)


@pytest.mark.parametrize("reference", ["a.jpg", "a", "0"])
def test_the_reference_is_chosen_by_name_or_number(
    frames: list[Path], run: Run, capsys: Capture, reference: str
) -> None:
    out = frames[0].parent.parent / "out.exr"
    assert record_of(run, capsys, *frames, "-o", out, "--reference", reference)["reference"] == "a.jpg"
    assert np.median(read_hdr(out).pixels / scene()) == pytest.approx(0.25, rel=0.02)


def test_the_curve_that_is_given_holds(frames: list[Path], run: Run, capsys: Capture) -> None:
    out = frames[0].parent.parent / "out.exr"
    record = record_of(run, capsys, *frames, "-o", out, "--curve", "linear")
    assert (record["curve"], record["curve_known"]) == ("linear", True)
    dim = (scene() < 0.3).all(axis=-1)
    linear = codes_of(scene()) / 255  # what the middle frame's codes would be as light
    assert np.median((read_hdr(out).pixels / linear)[dim]) == pytest.approx(1, rel=0.35)
    assert record_of(run, capsys, *frames, "-o", out, "--force")["curve"] == "srgb"


def test_a_frame_that_does_not_belong_is_left_out_by_name(frames: list[Path], run: Run, capsys: Capture) -> None:
    take(frames[2], 2, light=scene(seed=9)[:, ::-1])
    out = frames[0].parent.parent / "out.exr"
    assert run("merge", *frames, "-o", out) == 0
    assert "warning: c.jpg: is left out, because it shows something else" in capsys.readouterr().err
    assert list(read_hdr(out).provenance["rejected"]) == ["c.jpg"]


# --- what is written


@pytest.mark.parametrize("suffix", ["jpg", "avif", "jxl", "png", "exr", "hdr", "pfm", "tif"])
def test_every_format_holds_the_scene(frames: list[Path], run: Run, suffix: str) -> None:
    out = frames[0].parent.parent / f"out.{suffix}"
    assert run("merge", *frames, "-o", out, "--method", "debevec") == 0
    pixels, light = (lit(out) if suffix == "jpg" else read_hdr(out).pixels), scene()
    assert pixels.shape == light.shape
    assert np.abs(np.median(pixels / light) - 1) < 0.02
    assert pixels[35:45, 55:65].mean() == pytest.approx(light[35:45, 55:65].mean(), rel=0.1)


def test_a_gain_map_jpeg_keeps_the_reference_byte_for_byte(frames: list[Path], run: Run) -> None:
    out = frames[0].parent.parent / "out.jpg"
    assert run("merge", *frames, "-o", out) == 0
    base, original = (np.asarray(Image.open(path).convert("RGB")) for path in (out, frames[1]))
    np.testing.assert_array_equal(base, original)
    scan = frames[1].read_bytes()
    scan = scan[scan.index(b"\xff\xda") :]
    assert scan in out.read_bytes()
    assert lit(out)[40, 60].max() > 2.5


@pytest.mark.parametrize("strip", [False, True])
def test_the_metadata_are_those_of_the_reference(frames: list[Path], run: Run, strip: bool) -> None:
    with Image.open(frames[1]) as picture:
        exif = picture.getexif()
        exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 6.5)})
        picture.save(frames[1], exif=exif, quality=95)
    out = frames[0].parent.parent / "out.jpg"
    assert run("merge", *frames, "-o", out, *(["--strip-gps"] if strip else [])) == 0
    tags = exifread.process_file(io.BytesIO(out.read_bytes()), details=False)
    assert str(tags["Image Model"]) == "Test camera"
    assert str(tags["EXIF DateTimeOriginal"]) == "2026:05:01 12:00:01"
    assert any(name.startswith("GPS") for name in tags) is not strip


def test_json_and_inspect_say_how_it_was_made(frames: list[Path], run: Run, capsys: Capture) -> None:
    out = frames[0].parent.parent / "out.exr"
    record = record_of(run, capsys, *frames, "-o", out, "--seed", "3")
    assert (record["status"], record["inputs"], record["outputs"]) == (
        "done",
        [str(path) for path in frames],
        [str(out)],
    )
    assert (record["method"], record["preset"], record["seed"]) == ("lf_diff", "compact", 3)
    assert (record["frames"], record["reference"]) == (["a.jpg", "b.jpg", "c.jpg"], "b.jpg")
    assert (record["rejected"], record["warnings"]) == ({}, [])
    assert 1 < record["headroom_stops"] < 2
    assert record["seconds"] > 0
    assert run("inspect", out, "--json") == 0
    made = json.loads(capsys.readouterr().out)["provenance"]
    shared = ("method", "weights_sha256", "frames", "exposures_ev", "reference", "rejected", "curve")
    assert {name: made[name] for name in shared} == {name: record[name] for name in shared}
    assert run("inspect", out) == 0
    assert "reference b.jpg" in capsys.readouterr().out


def test_an_existing_file_is_replaced_only_with_force(frames: list[Path], run: Run, capsys: Capture) -> None:
    out = frames[0].parent.parent / "out.pfm"
    out.write_text("mine")
    assert run("merge", *frames, "-o", out) == 2
    assert "exists already. Add --force" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert run("merge", *frames, "-o", out, "--force") == 0
    assert read_hdr(out).pixels.shape == (HEIGHT, WIDTH, 3)


# --- what is wrong


def test_wrong_counts_are_1(frames: list[Path], run: Run, capsys: Capture) -> None:
    out = frames[0].parent.parent / "out.exr"
    assert run("merge", frames[0], "-o", out) == 1
    assert "a bracket has 2 to 9 frames, not 1" in capsys.readouterr().err
    ten = [take(frames[0].parent / f"{i}.jpg", i / 3) for i in range(10)]
    assert run("merge", *ten, "-o", out) == 1
    assert "a bracket has 2 to 9 frames, not 10" in capsys.readouterr().err
    assert not out.exists()


def test_a_photo_given_twice_is_no_bracket(frames: list[Path], run: Run, capsys: Capture) -> None:
    out = frames[0].parent.parent / "out.exr"
    assert run("merge", frames[0], frames[1], frames[0], "-o", out) == 2
    assert "a.jpg: is given twice" in capsys.readouterr().err


def test_frames_of_two_sizes_are_1(frames: list[Path], run: Run, capsys: Capture) -> None:
    take(frames[2], 2, light=scene()[:100])
    assert run("merge", *frames, "-o", frames[0].parent / "out.exr") == 1
    assert "c.jpg: is 160 x 100, but a.jpg is 160 x 120. Give frames of one size." in capsys.readouterr().err


def test_exposures_that_no_scene_needs_are_1(frames: list[Path], run: Run, capsys: Capture) -> None:
    (frames[0].parent / "exposure.txt").write_text("0\n2\n4000\n")
    assert run("merge", *frames, "-o", frames[0].parent / "out.exr") == 1
    assert "c.jpg 4000 EV: differ by more than 40 stops" in capsys.readouterr().err


def test_a_list_of_exposures_that_is_too_short_is_named_alone(frames: list[Path], run: Run, capsys: Capture) -> None:
    listing = frames[0].with_name("exposure.txt")
    listing.write_text("0\n2\n")
    assert run("merge", *frames, "-o", frames[0].parent / "out.exr") == 1
    assert capsys.readouterr().err.startswith(f"error: {listing}: lists 2 exposures for 3 photos")


@pytest.mark.parametrize("damage", ["cut", "no picture", "missing"])
def test_one_bad_frame_is_named(frames: list[Path], run: Run, capsys: Capture, damage: str) -> None:
    if damage == "missing":
        frames[1].unlink()
    else:
        content = frames[1].read_bytes()
        frames[1].write_bytes(content[: len(content) // 2] if damage == "cut" else b"no picture")
    out = frames[0].parent.parent / "out.exr"
    assert run("merge", *frames, "-o", out) == 1
    (problem, *_) = capsys.readouterr().err.splitlines()
    assert problem.startswith("error: ")
    assert "b.jpg" in problem
    assert not list(out.parent.glob("out*"))


def test_a_folder_without_photos_is_1(tmp_path: Path, run: Run, capsys: Capture) -> None:
    (tmp_path / "empty").mkdir()
    for words in (["--auto"], []):
        assert run("merge", tmp_path / "empty", "-o", tmp_path / "out", *words) == 1
        assert "holds no photo. Give a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ev=-2,0"], "2 exposures for 3 frames"),
        (["--ev", "dark,bright"], "is no list of numbers"),
        (["--ev=-2,nan,2"], "is no list of numbers"),
        (["--reference", "z.jpg"], "is none of a.jpg, b.jpg, c.jpg"),
        (["--reference", "3"], "is none of a.jpg, b.jpg, c.jpg"),
        (["--curve", "pq"], "is not known. Choose one of srgb"),
        (["--method", "hybrid_ae"], "hybrid_ae is a method to expand"),
        (["--method", "magic"], "magic"),
        (["--auto", "--ev=1,2"], "--auto finds many"),
        (["--auto"], "is no folder"),
    ],
)
def test_wrong_usage_is_2(frames: list[Path], run: Run, capsys: Capture, words: list[str], message: str) -> None:
    out = frames[0].parent.parent / "out"
    assert run("merge", *frames, "-o", out, *words) == 2
    assert message in capsys.readouterr().err
    assert not out.exists() or not list(out.iterdir())


def test_an_input_is_never_replaced(frames: list[Path], run: Run, capsys: Capture) -> None:
    before = frames[1].read_bytes()
    assert run("merge", *frames, "-o", frames[1], "--force") == 2
    assert "is an input and would be replaced" in capsys.readouterr().err
    assert frames[1].read_bytes() == before


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom headroom.cli import main\n"
        "try: main(['merge', '--help'])\nexcept SystemExit as left: assert not left.code\n"
        "assert not {'torch', 'numpy', 'PIL', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_leaves_whole_files_and_130(tmp_path: Path, interrupt: Callable[..., list[Path]]) -> None:
    card, out = tmp_path / "card", tmp_path / "out"
    first = [take(card / f"{ev + 2}.jpg", ev, after_s=ev + 2) for ev in (-2, 2)]
    for i in range(1, 50):  # more exposures of the same two, each pair an hour later
        for path, ev in zip(first, (-2, 2), strict=True):
            take(card / f"{path.stem}-{i:03}.jpg", ev, after_s=3600 * i + ev + 2)
    assert 0 < len(interrupt("merge", "--auto", card, "--method", "debevec", out=out)) < 50


def test_a_folder_that_is_missing_is_named_as_such(tmp_path: Path, run: Run, capsys: Capture) -> None:
    assert run("merge", tmp_path / "typo", "-o", tmp_path / "out.exr") == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'typo'}: no such file or folder.")
