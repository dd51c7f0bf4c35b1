"""What a result cost, beside what it is worth."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.infer import infer
from headroom.benchmark.making import choose_way
from headroom.benchmark.peak_memory import with_peak


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak of earlier work counts")
def test_the_peak_is_that_of_the_work() -> None:
    megabytes = 2**20
    np.ones(150 * megabytes, np.uint8)  # earlier work, forgotten
    total, idle = with_peak(lambda: 0)
    total, peak = with_peak(lambda: int(np.ones(100 * megabytes, np.uint8)[:: 2**12].sum()))
    assert total == 100 * megabytes // 2**12
    assert peak - idle == pytest.approx(100 * megabytes, rel=0.1)


@pytest.mark.parametrize(("method", "millions"), [("linear", 0), ("hybrid_ae", 3.4)])
def test_the_record_tells_memory_and_size(pairs: Path, tmp_path: Path, method: str, millions: float) -> None:
    list(infer(choose_way(method), open_dataset(f"pairs:{pairs}"), tmp_path / "out", dataset="pairs"))
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["parameters"] / 1e6 == pytest.approx(millions, abs=0.1)
    assert record["peak_bytes"] > 50e6
