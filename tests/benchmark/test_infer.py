"""The first program: photos in, result files out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.infer import Inference, infer
from headroom.benchmark.making import choose_way
from headroom.errors import DataError, UsageError
from headroom.io import read_hdr


def run(folder: Path, out: Path, method: str = "linear", dataset: str = "pairs") -> list[Inference]:
    return list(infer(choose_way(method), open_dataset(f"pairs:{folder}"), out, dataset=dataset))


def test_results_are_the_photos_in_linear_light(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "results"
    assert run(pairs, out) == [("day", "done", ""), ("night", "done", "")]
    codes = np.asarray(Image.open(pairs / "day.png")) / 255
    expected = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(read_hdr(out / "day.exr").pixels, expected, atol=1e-6)


def test_results_are_not_rounded_to_half(pairs: Path, tmp_path: Path) -> None:
    run(pairs, tmp_path / "out")
    pixels = read_hdr(tmp_path / "out" / "day.exr").pixels
    assert (pixels != pixels.astype(np.float16).astype(np.float32)).any()


def test_the_record_says_how_they_were_made(pairs: Path, tmp_path: Path) -> None:
    run(pairs, tmp_path / "out", dataset="some words")
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (record["method"], record["preset"], record["dataset"]) == ("linear", "default", "some words")
    assert record["weights_sha256"] is None
    assert record["images"].keys() == {"day", "night"}
    assert record["seconds_per_megapixel"] == pytest.approx(np.median(list(record["images"].values())), abs=1e-4)


def test_an_interrupted_run_goes_on(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert next(infer(choose_way("linear"), open_dataset(f"pairs:{pairs}"), out, dataset="pairs")).name == "day"
    first = (out / "day.exr").stat()
    assert [result.status for result in run(pairs, out)] == ["exists", "done"]
    assert (out / "day.exr").stat() == first
    assert [result.status for result in run(pairs, out)] == ["exists", "exists"]
    assert sorted(path.name for path in out.iterdir()) == ["day.exr", "night.exr", "run.json"]


def test_a_bad_photo_costs_one_row(pairs: Path, tmp_path: Path) -> None:
    (pairs / "day.png").write_bytes((pairs / "day.png").read_bytes()[:200])
    results = run(pairs, tmp_path / "out")
    assert [result.status for result in results] == ["failed", "done"]
    assert "day.png" in results[0].error


def test_results_of_two_kinds_are_never_mixed(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(pairs, out)
    with pytest.raises(UsageError, match="holds results of linear"):
        run(pairs, out, dataset="others")
    record = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**record, "weights_sha256": "0" * 64}))
    assert [result.status for result in run(pairs, out)] == ["exists", "exists"]
    (out / "night.exr").unlink()
    with pytest.raises(UsageError, match="weights 0000"):
        run(pairs, out)
    assert not (out / "night.exr").exists()


def test_a_damaged_record_is_named(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"method": "linear"')
    with pytest.raises(DataError, match=r"run\.json: is damaged"):
        run(pairs, tmp_path)
