from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_codes import made, noisy, smooth, texture

from headroom.errors import UsageError, WeightsError
from headroom.metrics.niqe import MODEL, NiqeModel, fit_niqe_model, niqe, read_niqe_model, write_niqe_model

REFERENCE = json.loads(Path(__file__).with_name("brisque_reference.json").read_text())
PICTURES = made()
UNIT = NiqeModel(np.zeros(36), np.eye(36))


@pytest.mark.parametrize("name", PICTURES)
def test_the_authors_program(name: str) -> None:
    assert niqe(PICTURES[name] / 255, UNIT) == pytest.approx(REFERENCE[name]["niqe"], abs=1e-4)


@pytest.fixture(scope="module")
def model() -> NiqeModel:
    return fit_niqe_model(texture(seed) / 255 for seed in range(10, 24))


def test_pictures_like_those_of_the_model_are_best(model: NiqeModel) -> None:
    like, unlike = texture(40), texture(41)
    best = niqe(like / 255, model)
    assert best < niqe(noisy(unlike) / 255, model)
    assert best < niqe(smooth(unlike) / 255, model)


def test_the_model_is_the_gaussian_of_sharp_blocks(model: NiqeModel) -> None:
    # Its covariance is one: symmetric, with no negative variance in any direction.
    np.testing.assert_allclose(model.covariance, model.covariance.T)
    assert np.linalg.eigvalsh(model.covariance).min() > -1e-12


def test_a_model_comes_back_from_its_file(model: NiqeModel, tmp_path: Path) -> None:
    write_niqe_model(model, tmp_path / MODEL)
    back = read_niqe_model(tmp_path / MODEL)
    np.testing.assert_array_equal(back.mean, model.mean)
    np.testing.assert_array_equal(back.covariance, model.covariance)


def test_nothing_to_see_has_no_score() -> None:
    assert np.isnan(niqe(np.full((192, 192, 3), 0.5), UNIT))


def test_clipped_areas_are_left_out_of_no_account() -> None:
    # Blocks in which nothing varies say nothing; the others are judged as if they were alone.
    codes = np.full((96, 400, 3), 255)
    codes[:, :192] = texture(5)[:96, :192]
    both, alone = niqe(codes / 255, UNIT), niqe(codes[:, :192] / 255, UNIT)
    assert both == pytest.approx(alone, rel=0.2)


@pytest.mark.parametrize("size", [(95, 300), (96, 191), (1, 1)])
def test_small_pictures_have_no_score(size: tuple[int, int]) -> None:
    assert np.isnan(niqe(texture(1)[: size[0], : size[1]] / 255, UNIT))


def test_a_model_of_too_few_photographs_is_refused() -> None:
    with pytest.raises(UsageError, match="Give more photographs"):
        fit_niqe_model([texture(1) / 255])


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 and then nothing", b"\x93NUMPY", b"0" * 1_000_001],
    ids=["empty", "half a zip", "half an array", "no zip"],
)
def test_other_files_are_no_models(content: bytes, tmp_path: Path) -> None:
    (tmp_path / MODEL).write_bytes(content)
    with pytest.raises(WeightsError, match="no NIQE model"):
        read_niqe_model(tmp_path / MODEL)


@pytest.mark.parametrize(
    "arrays",
    [
        {"mu_pris_param": np.zeros(36)},
        {"mu_pris_param": np.zeros(35), "cov_pris_param": np.eye(36)},
        {"mu_pris_param": np.full(36, np.nan), "cov_pris_param": np.eye(36)},
        {"mu_pris_param": np.array([object()] * 36), "cov_pris_param": np.eye(36)},
        {"mu_pris_param": np.array(["word"] * 36), "cov_pris_param": np.eye(36)},
        {"mu_pris_param": np.zeros(36), "cov_pris_param": np.zeros(200_000)},
    ],
    ids=["half", "short", "nan", "objects", "words", "large"],
)
def test_other_arrays_are_no_models(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / MODEL, **arrays)
    with pytest.raises(WeightsError, match="no NIQE model"):
        read_niqe_model(tmp_path / MODEL)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=MODEL):
        read_niqe_model(tmp_path / MODEL)
