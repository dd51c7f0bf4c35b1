from __future__ import annotations

import json
from math import exp, gamma
from pathlib import Path

import numpy as np
import pytest
from made_codes import made, texture

from headroom.errors import WeightsError
from headroom.metrics.brisque import RANGES, REGRESSION, brisque, brisque_features
from headroom.metrics.brisque_features import fit_asymmetric, fit_symmetric
from headroom.metrics.brisque_model import read_brisque_model

REFERENCE = json.loads(Path(__file__).with_name("brisque_reference.json").read_text())
PICTURES = made()
GENERATOR = np.random.default_rng(0)

HEAD = "svm_type epsilon_svr\nkernel_type rbf\ngamma 0.05\nnr_class 2\ntotal_sv 2\nrho -30\nSV\n"
VECTORS = "10 1:0.5 3:-0.25\n-4 36:1\n"
SCALES = "x\n-1 1\n" + "".join(f"{index} {-index} {index + 2}\n" for index in range(1, 37))


@pytest.mark.parametrize("name", PICTURES)
def test_the_authors_features(name: str) -> None:
    found = brisque_features(PICTURES[name] / 255)
    np.testing.assert_allclose(found, REFERENCE[name]["brisque_features"], atol=1e-5)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / REGRESSION).write_text(HEAD + VECTORS)
    (tmp_path / RANGES).write_text(SCALES)
    return tmp_path / REGRESSION, tmp_path / RANGES


def test_the_regression_by_hand(files: tuple[Path, Path]) -> None:
    # The middle of each range is scaled to 0; what remains are the distances to the two vectors, 0.3125 and 1.
    found = read_brisque_model(*files).predict(np.ones(36))
    assert found == pytest.approx(10 * exp(-0.05 * 0.3125) - 4 * exp(-0.05) + 30)


def test_a_picture_and_a_plain_one(files: tuple[Path, Path]) -> None:
    model = read_brisque_model(*files)
    features = brisque_features(texture(1) / 255)
    assert brisque(texture(1) / 255, model) == model.predict(features)
    assert np.isnan(brisque(np.full((30, 40, 3), 0.3), model))


@pytest.mark.parametrize("shape", [0.7, 1.0, 2.0, 4.0])
def test_fits_find_the_distribution_that_was_drawn_from(shape: float) -> None:
    # |x| is generalised Gaussian when |x|^shape is gamma-distributed; its variance is G(3/s) / G(1/s).
    sides = GENERATOR.choice([-1.0, 2.0], 400_000, p=[1 / 3, 2 / 3])
    values = sides * GENERATOR.gamma(1 / shape, size=sides.size) ** (1 / shape)
    deviation = (gamma(3 / shape) / gamma(1 / shape)) ** 0.5
    assert fit_asymmetric(values) == pytest.approx((shape, deviation, 2 * deviation), rel=0.03)
    assert fit_symmetric(values / np.abs(sides)) == pytest.approx((shape, deviation), rel=0.03)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00\xff",
        HEAD,
        HEAD.replace("rbf", "linear") + VECTORS,
        HEAD.replace("0.05", "wide") + VECTORS,
        HEAD.replace("rho -30\n", "") + VECTORS,
        HEAD + "10 1:0.5 37:1\n",
        HEAD + "10 1:nan\n",
        HEAD + "10 1\n",
    ],
    ids=["empty", "bytes", "no vectors", "linear", "word", "no rho", "feature 37", "nan", "half a pair"],
)
def test_other_files_are_no_regressions(text: str, files: tuple[Path, Path]) -> None:
    files[0].write_text(text, "latin-1")
    with pytest.raises(WeightsError, match=r"allmodel: .* Bring"):
        read_brisque_model(*files)


@pytest.mark.parametrize(
    "text",
    ["", "x\n", SCALES.replace("-1 1", "0 1"), SCALES[:-20], SCALES.replace("1 -1 3", "1 3 3")],
    ids=["empty", "one line", "to 0 and 1", "cut", "nothing wide"],
)
def test_other_files_are_no_ranges(text: str, files: tuple[Path, Path]) -> None:
    files[1].write_text(text)
    with pytest.raises(WeightsError, match=r"allrange: .* Bring"):
        read_brisque_model(*files)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="allmodel"):
        read_brisque_model(tmp_path / REGRESSION, tmp_path / RANGES)
