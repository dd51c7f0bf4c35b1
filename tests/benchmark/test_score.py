"""The second program: result files and truths in, scores out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.infer import infer
from headroom.benchmark.making import choose_way
from headroom.benchmark.measure import Meter
from headroom.benchmark.score import Scored, choose_metrics, score
from headroom.colour.primaries import convert
from headroom.image import Hdr
from headroom.io import read_hdr, write_hdr
from headroom.io.options import WriteOptions

FULL = WriteOptions(half=False)


def run(pairs: Path, *folders: Path, metrics: Sequence[str] = ()) -> list[Scored]:
    items = open_dataset(f"pairs:{pairs}")
    return list(score(folders, items, Meter(choose_metrics(items, metrics, None))))


@pytest.fixture
def linear(pairs: Path, tmp_path: Path) -> Path:
    """Return the results of the method `linear`."""
    out = tmp_path / "linear"
    list(infer(choose_way("linear"), open_dataset(f"pairs:{pairs}"), out, dataset="pairs"))
    return out


def scores(results: list[Scored]) -> list[dict[str, float]]:
    assert not [result.error for result in results if result.error]
    return [result.readings.values for result in results]


def test_the_truth_at_another_exposure_is_perfect(pairs: Path, tmp_path: Path) -> None:
    for name in ("day", "night"):
        write_hdr(Hdr(read_hdr(pairs / f"{name}.exr").pixels * 3.7), tmp_path / f"{name}.exr", options=FULL)
    for found in scores(run(pairs, tmp_path)):
        assert found["stops"] == pytest.approx(0, abs=1e-5)
        assert min(found["pu21_psnr_matched"], found["pu21_psnr_matched_clipped"]) > 90


def test_stops_are_the_error_of_log2_luminance_where_the_photo_clips(pairs: Path, linear: Path) -> None:
    codes = np.asarray(Image.open(pairs / "day.png"))
    clipped = codes.max(axis=2) >= 250
    weights = np.array([0.2126, 0.7152, 0.0722])
    error = np.log2(read_hdr(linear / "day.exr").pixels @ weights) - np.log2(
        read_hdr(pairs / "day.exr").pixels @ weights
    )
    expected = np.sqrt(np.mean((error - np.median(error[~clipped]))[clipped] ** 2))
    day = scores(run(pairs, linear))[0]
    assert day["stops"] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("suffix", [".hdr", ".pfm", ".tif"])
def test_other_containers_score_the_same(pairs: Path, linear: Path, tmp_path: Path, suffix: str) -> None:
    for path in linear.glob("*.exr"):
        write_hdr(read_hdr(path), tmp_path / f"{path.stem}{suffix}")
    for found, expected in zip(scores(run(pairs, tmp_path)), scores(run(pairs, linear)), strict=True):
        assert found["stops"] == pytest.approx(expected["stops"], abs=0.01)
        assert found["pu21_psnr_matched"] == pytest.approx(expected["pu21_psnr_matched"], abs=0.2)


def test_primaries_do_not_matter(pairs: Path, linear: Path, tmp_path: Path) -> None:
    for path in linear.glob("*.exr"):
        wide = convert(read_hdr(path).pixels, "bt709", "bt2020")
        write_hdr(Hdr(wide, "bt2020"), tmp_path / path.name, options=FULL)
    for found, expected in zip(scores(run(pairs, tmp_path)), scores(run(pairs, linear)), strict=True):
        assert found["pu21_psnr_matched"] == pytest.approx(expected["pu21_psnr_matched"], abs=1e-3)


def test_each_folder_is_scored_item_by_item(pairs: Path, linear: Path) -> None:
    results = run(pairs, linear, pairs)
    assert [(result.folder, result.name) for result in results] == [
        (folder, name) for name in ("day", "night") for folder in (linear, pairs)
    ]


def test_what_is_missing_damaged_or_of_another_size_costs_one_row(pairs: Path, linear: Path) -> None:
    (linear / "day.exr").unlink()
    content = (linear / "night.exr").read_bytes()
    (linear / "night.exr").write_bytes(content[: len(content) // 2])
    missing, damaged = run(pairs, linear)
    assert not missing.readings.values
    assert "day: no result of this name" in missing.error
    assert "night.exr" in damaged.error
    write_hdr(Hdr(np.ones((32, 40, 3), np.float32)), linear / "day.exr")
    assert "40 x 32 px, the truth 48 x 32 px" in run(pairs, linear)[0].error
    write_hdr(Hdr(np.ones((32, 40, 3), np.float32)), pairs / "day.exr")
    assert "48 x 32 px photo, 40 x 32 px truth" in run(pairs, linear)[0].error


def test_light_at_the_end_of_its_type_has_a_score(pairs: Path, linear: Path) -> None:
    light = read_hdr(linear / "day.exr").pixels
    light[0, 0] = 3e38
    write_hdr(Hdr(light), linear / "day.exr", options=FULL)
    huge, other = run(pairs, linear, metrics=["stops", "pu21_psnr", "pu21_ssim_crf"])
    assert not huge.error + other.error
    assert np.isfinite(list(huge.readings.values.values())).all()


def test_a_black_result_gets_a_bad_score(pairs: Path, linear: Path, tmp_path: Path) -> None:
    for path in linear.glob("*.exr"):
        write_hdr(Hdr(np.zeros((32, 48, 3), np.float32)), tmp_path / path.name)
    for found, better in zip(scores(run(pairs, tmp_path)), scores(run(pairs, linear)), strict=True):
        assert found["stops"] > better["stops"]
        assert found["pu21_psnr_matched"] < better["pu21_psnr_matched"]
