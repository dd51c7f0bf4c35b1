"""Both programs on brackets: merged by one, scored against the truth by the other."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.infer import infer
from headroom.benchmark.making import choose_way
from headroom.benchmark.measure import Meter
from headroom.benchmark.score import Scored, choose_metrics, score
from headroom.errors import UsageError
from headroom.image import Hdr
from headroom.io import write_hdr

EV = (-2, 0, 2)


@pytest.fixture
def brackets(tmp_path: Path) -> Path:
    """Return two scenes that nothing moves in, 64 x 48, in the folders of Kalantari's data set."""
    y, x = np.mgrid[0:48, 0:64] / 48
    folder = tmp_path / "Test"
    for name, peak in (("001", 0.6), ("002", 0.9)):
        lamp = peak * np.exp(-(((x - 0.7) ** 2 + (y - 0.5) ** 2) / 0.02))
        light = np.stack([0.05 + 0.1 * y, 0.02 + 0.1 * x, 0.1 - 0.05 * y], axis=-1) + lamp[..., None]
        light = (0.9 * light / light.max()).astype(np.float32)
        (folder / name).mkdir(parents=True)
        for index, ev in enumerate(EV):
            codes = np.clip(light * 2.0 ** (ev - EV[0]), 0, 1) ** (1 / 2.2)
            cv2.imwrite(str(folder / name / f"{index}.tif"), np.rint(codes * 65535).astype(np.uint16)[..., ::-1])
        (folder / name / "exposure.txt").write_text("\n".join(map(str, EV)))
        cv2.imwrite(str(folder / name / "HDRImg.hdr"), light[..., ::-1])
    return folder


def scored(brackets: Path, *folders: Path) -> list[Scored]:
    items = open_dataset(f"kalantari:{brackets}")
    return list(score(folders, items, Meter(choose_metrics(items, (), None))))


def test_a_bracket_without_motion_is_merged_to_its_truth(brackets: Path, tmp_path: Path) -> None:
    items = open_dataset(f"kalantari:{brackets}")
    results = list(infer(choose_way("debevec"), items, tmp_path / "out", dataset="kalantari"))
    assert [(result.name, result.status) for result in results] == [("001", "done"), ("002", "done")]
    for result in scored(brackets, tmp_path / "out"):
        assert result.readings.values["psnr_l"] > 40
        assert np.isnan(result.readings.values["psnr_mu_masked"])


def test_results_count_in_units_of_the_reference_and_up_to_the_shortest_clip(brackets: Path, tmp_path: Path) -> None:
    for scene in open_dataset(f"kalantari:{brackets}"):
        light = 4 * scene.truth()  # two stops
        light[scene.truth() >= scene.truth().max()] *= 10  # brighter than any frame could record
        write_hdr(Hdr(light), tmp_path / f"{scene.name}.pfm")
    assert min(result.readings.values["psnr_l"] for result in scored(brackets, tmp_path)) > 50


def test_a_result_of_another_size_costs_one_row(brackets: Path, tmp_path: Path) -> None:
    write_hdr(Hdr(np.ones((5, 5, 3), np.float32)), tmp_path / "001.exr")
    small, missing = scored(brackets, tmp_path)
    assert "5 x 5 px, the truth 64 x 48 px" in small.error
    assert "no result of this name" in missing.error


def test_a_data_set_without_truth_is_merged_but_not_scored(brackets: Path, tmp_path: Path) -> None:
    for path in brackets.rglob("HDRImg.hdr"):
        path.unlink()
    items = open_dataset(f"sen:{brackets}")
    assert [result.status for result in infer(choose_way("debevec"), items, tmp_path / "out", dataset="sen")] == [
        "done",
        "done",
    ]
    for result in score([tmp_path / "out"], items, Meter(choose_metrics(items, (), None))):
        assert result.error.count("has no truth") == 1
        assert not result.readings.values


def test_a_method_of_the_other_verb_is_refused(brackets: Path, pairs: Path, tmp_path: Path) -> None:
    for method, dataset in (("linear", f"kalantari:{brackets}"), ("debevec", f"pairs:{pairs}")):
        with pytest.raises(UsageError, match=f"{method}: a method to"):
            list(infer(choose_way(method), open_dataset(dataset), tmp_path / "out", dataset=dataset))
        assert not list(tmp_path.glob("out/*"))
