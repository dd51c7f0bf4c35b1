"""What is kept of many images' scores."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headroom._version import __version__
from headroom.benchmark.measure import Readings
from headroom.benchmark.run_file import Run
from headroom.benchmark.score import Scored
from headroom.benchmark.scores_file import FILE_NAME, read_scores, write_scores
from headroom.benchmark.summary import summarise
from headroom.errors import DataError
from headroom.metrics import registry

METRICS = registry.find(["stops", "pu21_psnr"])


def scored(**images: tuple[float, float] | str) -> list[Scored]:
    """Make results of named images: their stops and PU21-PSNR, or what is wrong."""
    return [
        Scored(
            Path(),
            name,
            Readings(errors={found: None})
            if isinstance(found, str)
            else Readings(dict(zip(("stops", "pu21_psnr"), found, strict=True))),
        )
        for name, found in images.items()
    ]


def test_the_worst_of_each_metric_is_on_its_worse_side() -> None:
    scores = summarise(scored(**{f"i{n:02}": (n, 20.0 + n) for n in range(11)}), METRICS, "words", "hash")
    assert (scores.mean, scores.p90) == ({"stops": 5, "pu21_psnr": 25}, {"stops": 9, "pu21_psnr": 21})
    assert scores.worst == {"stops": 10, "pu21_psnr": 20}
    assert scores.images["i03"] == {"stops": 3, "pu21_psnr": 23}
    assert (scores.headroom, scores.dataset) == (__version__, "words")


def test_what_is_undefined_is_left_out_and_what_failed_is_named() -> None:
    scores = summarise(scored(a=(1, 30), b=(math.nan, 20), c="gone", d=(3, math.inf)), METRICS, "words", "hash")
    assert scores.images == {
        "a": {"stops": 1, "pu21_psnr": 30},
        "b": {"stops": None, "pu21_psnr": 20},
        "d": {"stops": 3, "pu21_psnr": None},
    }
    assert scores.errors == {"c": "gone"}
    assert scores.mean == {"stops": 2, "pu21_psnr": None}
    nothing = summarise(scored(c="gone"), METRICS, "words", "hash")
    assert (nothing.images, nothing.mean) == ({}, {"stops": None, "pu21_psnr": None})


def test_a_metric_of_sets_has_one_number() -> None:
    largest = replace(METRICS[0], id="largest", combine=lambda rows: float(np.max(rows)))
    results = [Scored(Path(), name, Readings(features={"largest": np.arange(3.0)})) for name in "ab"]
    scores = summarise(results, [largest], "words", "hash")
    assert (scores.mean, scores.worst) == ({"largest": 2}, {})


def test_costs_stand_beside_the_metrics() -> None:
    known = {"headroom": "1", "method": "m", "preset": "p", "weights_sha256": None, "dataset": "words"}
    run = Run(**known).with_image("a", 0.5, "split").with_image("b", 1.5, "split").with_costs(3 * 2**30, 4_200_000)
    scores = summarise(scored(a=(1, 30)), METRICS, "words", "hash", run)
    assert scores.mean["seconds_per_megapixel"] == 1
    assert (scores.mean["peak_memory"], scores.mean["parameters"]) == (3, 4.2)
    assert scores.metrics["peak_memory"].unit == "GiB"
    assert "parameters" not in summarise(scored(a=(1, 30)), METRICS, "words", "hash", Run(**known)).metrics


def test_the_file_reads_back(tmp_path: Path) -> None:
    assert read_scores(tmp_path) is None
    scores = summarise(scored(a=(1 / 3, 30), b="gone"), METRICS, "words", "hash")
    write_scores(tmp_path, scores)
    assert read_scores(tmp_path) == scores
    assert list(json.loads((tmp_path / FILE_NAME).read_text())) == [
        "headroom", "dataset", "split_sha256", "metrics", "images", "errors", "mean", "p90", "worst",
    ]  # fmt: skip
    (tmp_path / FILE_NAME).write_text('{"headroom": 1')
    with pytest.raises(DataError, match=r"scores\.json: is damaged"):
        read_scores(tmp_path)
