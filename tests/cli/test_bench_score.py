"""`headroom bench score` and `metrics`: what is printed, and what is kept beside the results."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.infer import infer
from headroom.benchmark.making import choose_way
from headroom.io import read_hdr, write_hdr

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]
PHOTOS = "tiny:photos"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results")
    assert all(
        result.status == "done" for result in infer(choose_way("linear"), open_dataset(PHOTOS), out, dataset=PHOTOS)
    )
    return out


@pytest.fixture
def results(made_once: Path, tmp_path: Path) -> Path:
    """Return what `linear` makes of four photos."""
    return Path(shutil.copytree(made_once, tmp_path / "linear"))


def test_means_are_printed_and_numbers_kept(results: Path, run: Run, capsys: Capture) -> None:
    assert run("bench", "score", results, PHOTOS) == 0
    headings, row = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert headings[:5] == ["RESULTS", "IMAGES", "STOPS", "P90", "WORST"]
    assert headings[-3:] == ["SECONDS-PER-MEGAPIXEL", "PEAK-MEMORY", "PARAMETERS"]
    assert row[:2] == [str(results), "4/4"]
    kept = json.loads((results / "scores.json").read_text())
    assert (kept["dataset"], kept["errors"]) == (PHOTOS, {})
    assert kept["metrics"]["pu21_psnr"] == {"name": "PU21-PSNR", "direction": "higher", "unit": "dB"}
    stops = [image["stops"] for image in kept["images"].values()]
    assert row[2:5] == [f"{value:.3f}" for value in (np.mean(stops), np.percentile(stops, 90), max(stops))]
    assert kept["worst"]["pu21_psnr"] == min(image["pu21_psnr"] for image in kept["images"].values())
    assert kept["mean"]["parameters"] == 0


def test_equal_folders_give_equal_bytes(results: Path, run: Run, capsys: Capture) -> None:
    kept, printed = [], []
    for _ in range(2):
        assert run("bench", "score", results, PHOTOS, "--metrics", "stops,pu21_ssim_crf,pu21_piqe", "--json") == 0
        kept.append((results / "scores.json").read_bytes())
        printed.append(capsys.readouterr().out)
    assert kept[0] == kept[1]
    assert printed[0] == printed[1]
    *images, summary = map(json.loads, printed[0].splitlines())
    assert len(images) == summary["images"] == summary["scored"] == 4
    assert summary["mean"]["stops"] == pytest.approx(np.mean([image["stops"] for image in images]), abs=1e-6)


def test_only_what_is_named_is_measured(results: Path, run: Run) -> None:
    assert run("bench", "score", results, PHOTOS, "--metrics", "pu21_ssim,stops") == 0
    kept = json.loads((results / "scores.json").read_text())
    assert all(image.keys() == {"pu21_ssim", "stops"} for image in kept["images"].values())


def test_a_missing_result_costs_one_row(results: Path, run: Run, capsys: Capture) -> None:
    first = min(results.glob("*.exr"))
    first.unlink()
    assert run("bench", "score", results, PHOTOS, "--json") == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {first.with_suffix('')}: no result of this name")
    failed, *_, summary = map(json.loads, captured.out.splitlines())
    assert (failed["status"], failed["image"], summary["scored"], summary["images"]) == ("failed", first.stem, 3, 4)
    kept = json.loads((results / "scores.json").read_text())
    assert list(kept["errors"]) == [first.stem]
    assert first.stem not in kept["images"]


def test_pq_counts_as_light_and_an_sdr_picture_is_refused(
    results: Path, tmp_path: Path, run: Run, capsys: Capture
) -> None:
    pq, sdr = tmp_path / "pq", tmp_path / "sdr"
    pq.mkdir()
    sdr.mkdir()
    for path in results.glob("*.exr"):
        hdr = read_hdr(path)
        write_hdr(hdr, pq / f"{path.stem}.png")
        Image.fromarray(np.uint8(np.clip(hdr.pixels, 0, 1) ** (1 / 2.2) * 255)).save(sdr / f"{path.stem}.png")
    assert run("bench", "score", pq, results, PHOTOS) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert float(rows[0][2]) == pytest.approx(float(rows[1][2]), abs=0.01)
    assert run("bench", "score", sdr, PHOTOS) == 1
    captured = capsys.readouterr()
    assert "an SDR picture" in captured.err
    assert captured.out.splitlines()[1].split()[1] == "0/4"
    assert run("bench", "score", sdr, PHOTOS, "--metrics", "piqe") == 0
    assert capsys.readouterr().out.splitlines()[1].split()[1] == "4/4"


def test_bad_calls_are_2_and_what_is_not_there_3(results: Path, tmp_path: Path, run: Run, capsys: Capture) -> None:
    assert run("bench", "score", tmp_path / "nowhere", PHOTOS) == 2
    assert run("bench", "score", results, PHOTOS, "--metrics", "psnr_moo") == 2
    assert "psnr_mu" in capsys.readouterr().err  # the list of those that there are
    assert run("bench", "score", results, PHOTOS, "--metrics", "psnr_mu") == 2
    assert "not defined for what expand makes" in capsys.readouterr().err
    assert not (results / "scores.json").exists()


def test_brackets_are_merged_and_scored(tmp_path: Path, run: Run, capsys: Capture) -> None:
    out = tmp_path / "out"
    assert run("bench", "infer", "debevec", "tiny:brackets", "-o", out) == 0
    capsys.readouterr()
    assert run("bench", "score", out, "tiny:brackets") == 0
    headings, row = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert headings[2:8] == ["PSNR-MU", "P90", "WORST", "PSNR-L", "SSIM-MU", "SSIM-L"]
    assert row[1] == "2/2"
    assert run("bench", "infer", "linear", "tiny:brackets", "-o", tmp_path / "other") == 2


def test_the_truth_is_perfect(tmp_path: Path, run: Run) -> None:
    for item in open_dataset(PHOTOS):
        write_hdr(item.truth(), tmp_path / f"{item.name}.pfm")
    assert run("bench", "score", tmp_path, PHOTOS) == 0
    mean = json.loads((tmp_path / "scores.json").read_text())["mean"]
    assert mean["stops"] < 1e-5
    assert mean["pu21_ssim"] > 1 - 1e-6


def test_metrics_are_listed(run: Run, capsys: Capture) -> None:
    assert run("bench", "metrics") == 0
    headings, *rows = capsys.readouterr().out.splitlines()
    assert headings.split() == ["METRIC", "BETTER", "UNITS", "OF", "TRUTH", "HERE"]
    assert any(row.split()[:2] == ["psnr_mu", "higher"] for row in rows)
    assert run("bench", "metrics", "--json") == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(records) == len(rows)
    assert {record["available"] for record in records if record["usual"]} == {True}
    assert all(record["source"] and (record["available"] or record["to_get_it"]) for record in records)
