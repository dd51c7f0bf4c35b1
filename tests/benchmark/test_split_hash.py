"""The hash of a data set."""

from __future__ import annotations

import shutil
from pathlib import Path

from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.infer import infer
from headroom.benchmark.making import choose_way
from headroom.benchmark.run_file import read_run
from headroom.benchmark.split import split_sha256


def of(folder: Path) -> str:
    return split_sha256(open_dataset(f"pairs:{folder}"))


def test_it_does_not_matter_where_the_files_lie(pairs: Path, tmp_path: Path) -> None:
    shutil.copytree(pairs, tmp_path / "elsewhere")
    assert of(pairs) == of(tmp_path / "elsewhere")
    items = open_dataset(f"pairs:{pairs}")
    assert split_sha256(items) == split_sha256(items[::-1])


def test_every_change_of_the_split_shows(pairs: Path) -> None:
    hashes = [of(pairs)]
    with (pairs / "day.exr").open("ab") as file:
        file.write(b"\0")
    hashes.append(of(pairs))
    (pairs / "day.png").rename(pairs / "noon.png")
    hashes.append(of(pairs))
    (pairs / "night.jpg").unlink()
    hashes.append(of(pairs))
    assert len(set(hashes)) == 4


def test_the_record_of_a_run_holds_it(pairs: Path, tmp_path: Path) -> None:
    list(infer(choose_way("linear"), open_dataset(f"pairs:{pairs}"), tmp_path / "out", dataset="pairs"))
    run = read_run(tmp_path / "out")
    assert run is not None
    assert run.split_sha256 == of(pairs)


def test_a_run_goes_on_after_a_file_was_repaired(pairs: Path, tmp_path: Path) -> None:
    whole = (pairs / "night.jpg").read_bytes()
    (pairs / "night.jpg").write_bytes(whole[:300])
    for expected in (["done", "failed"], ["exists", "done"]):
        results = list(infer(choose_way("linear"), open_dataset(f"pairs:{pairs}"), tmp_path / "out", dataset="pairs"))
        assert [result.status for result in results] == expected
        (pairs / "night.jpg").write_bytes(whole)
    run = read_run(tmp_path / "out")
    assert run is not None
    assert run.split_sha256 == of(pairs)
