from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from headroom.data.check import PanoramaReport, check_panoramas
from headroom.errors import DataError

Pixels = NDArray[np.float32]


def panorama(seed: int, height: int = 512) -> Pixels:
    """Make a sky over ground with hills, texture and a small sun: about 10 stops."""
    generator = np.random.default_rng(seed)
    longitude, latitude = np.meshgrid(np.linspace(0, 2 * np.pi, 2 * height), np.linspace(1, -1, height))
    hills = sum(generator.normal() * np.sin(k * longitude + generator.uniform(0, 6)) for k in range(1, 7)) * 0.06
    log2 = np.where(latitude > hills, 1.5 * latitude, -4 + 3 * np.sin(5 * longitude + generator.uniform(0, 6)))
    log2 = log2 + 0.2 * np.random.default_rng(0).normal(size=log2.shape)
    sun = np.hypot(longitude - generator.uniform(1, 5), latitude - 0.6) < 0.01
    light = np.exp2(log2 + 12 * sun)
    return np.asarray(light[..., None] * generator.uniform(0.6, 1.0, 3), np.float32)


def write(path: Path, pixels: Pixels) -> Path:
    """Write .hdr or .pfm with another library than the one that reads."""
    assert cv2.imwrite(str(path), np.ascontiguousarray(pixels[..., ::-1]))
    return path


def report_of(path: Path) -> PanoramaReport:
    (report,) = check_panoramas(path.parent)
    assert report.path == path
    return report


@pytest.mark.parametrize("suffix", [".hdr", ".HDR", ".pfm"])
def test_a_sound_panorama_has_no_problem(tmp_path: Path, suffix: str) -> None:
    pixels = panorama(1)
    report = report_of(write(tmp_path / f"sound{suffix}", pixels))
    assert report.problems == ()
    assert (report.width_px, report.height_px) == (1024, 512)
    luminance = pixels @ np.array([0.2126, 0.7152, 0.0722])
    expected = np.log2(np.percentile(luminance, 99.99) / np.percentile(luminance, 0.1))
    assert report.stops == pytest.approx(expected, abs=0.05)


def clamped(pixels: Pixels) -> Pixels:
    return np.minimum(pixels, np.percentile(pixels, 99.9)).astype(np.float32)


def flattened(pixels: Pixels) -> Pixels:
    return pixels**0.3


def with_value(value: float) -> Pixels:
    pixels = panorama(1)
    pixels[7, 9, 1] = value
    return pixels


@pytest.mark.parametrize(
    ("pixels", "problem"),
    [
        (panorama(1)[:, :768], r"is 768 x 512, not 2:1\. Export it"),
        (panorama(1, 256), r"is 512 px wide, less than 1024\."),
        (flattened(panorama(1)), r"spans \d\.\d stops, less than 5\. It is not HDR"),
        (clamped(panorama(1)), r"has 0\.\d\d% of its pixels at the maximum .*clamped"),
        (np.zeros((512, 1024, 3), np.float32), r"spans 0\.0 stops"),
    ],
)
def test_each_flaw_is_named(tmp_path: Path, pixels: Pixels, problem: str) -> None:
    report = report_of(write(tmp_path / "flawed.hdr", pixels))
    assert any(re.search(problem, text) for text in report.problems), report.problems


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5])
def test_impossible_light_is_found(tmp_path: Path, value: float) -> None:
    assert report_of(write(tmp_path / "flawed.pfm", with_value(value))).problems


def test_damaged_files_are_reported_and_the_others_checked(tmp_path: Path) -> None:
    whole = write(tmp_path / "b.hdr", panorama(1))
    (tmp_path / "a.hdr").write_bytes(whole.read_bytes()[:5000])
    (tmp_path / "c.hdr").write_text("version https://git-lfs.github.com/spec/v1\n")
    (tmp_path / "notes.txt").write_text("not looked at")
    reports = check_panoramas(tmp_path)
    assert [(report.path.name, bool(report.problems)) for report in reports] == [
        ("a.hdr", True), ("b.hdr", False), ("c.hdr", True),
    ]  # fmt: skip
    assert "a.hdr" in reports[0].problems[0]


def test_copies_are_found_and_neighbours_are_not(tmp_path: Path) -> None:
    pixels = panorama(1)
    write(tmp_path / "a.pfm", pixels)
    write(tmp_path / "b_brighter.hdr", 4 * pixels)
    write(tmp_path / "c_larger.hdr", np.repeat(np.repeat(pixels, 2, 0), 2, 1))
    (tmp_path / "d_copy.pfm").write_bytes((tmp_path / "a.pfm").read_bytes())
    write(tmp_path / "e_other.hdr", panorama(2))
    reports = {report.path.stem: report for report in check_panoramas(tmp_path)}
    assert reports["a"].problems == reports["e_other"].problems == ()
    assert "nearly the same picture as a.pfm" in reports["b_brighter"].problems[0]
    assert "nearly the same picture as a.pfm" in reports["c_larger"].problems[0]
    assert "the same pixels as a.pfm" in reports["d_copy"].problems[0]


def test_the_hash_is_of_the_picture_and_not_of_the_file(tmp_path: Path) -> None:
    pixels = panorama(1)
    write(tmp_path / "a.pfm", pixels)
    little_endian = pixels[::-1].astype("<f4").tobytes()
    (tmp_path / "b.pfm").write_bytes(b"PF\n1024 512\n-1.0\n" + little_endian)
    changed = pixels.copy()
    changed[0, 0, 0] += 1e-6
    write(tmp_path / "c.pfm", changed)
    first, second, third = (report.content_sha256 for report in check_panoramas(tmp_path))
    assert first == second != third


@pytest.mark.parametrize("name", ["absent", "."])
def test_a_folder_without_panoramas_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="holds no panorama"):
        check_panoramas(tmp_path / name)
