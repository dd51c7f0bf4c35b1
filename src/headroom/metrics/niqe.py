"""NIQE: how far a picture's statistics are from those of good photographs.

Mittal, Soundararajan, Bovik, "Making a completely blind image quality analyzer", SPL 2013, as the authors' program
computes it. Good photographs are a file that the user brings: the authors' model, or one made by `fit_niqe_model`.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from headroom.errors import UsageError, WeightsError
from headroom.files import atomic_path
from headroom.metrics.brisque_features import (
    Picture,
    contrast_normalised,
    fit_asymmetric,
    gamma_ratio,
    grey_codes,
    in_blocks,
    local_moments,
    neighbour_products,
)
from headroom.metrics.contract import Measure, Metric
from headroom.metrics.resizing import halve

MODEL = "niqe_pris_params.npz"
"""The model's file, as the package basicsr ships the authors' one: `mu_pris_param` and `cov_pris_param`."""

_BLOCK_PX = 96
_FEATURES = 36
_SHARP = 0.75
_LARGEST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class NiqeModel:
    """Statistics of good photographs: a Gaussian of the features of their blocks.

    Attributes:
        mean: 36.
        covariance: 36 x 36.
    """

    mean: Picture
    covariance: Picture


def niqe(codes: NDArray[np.floating], model: NiqeModel) -> float:
    """Give the NIQE of an SDR picture.

    Args:
        codes: H x W x 3, code values in [0, 1].
        model: Of good photographs.

    Returns:
        From 0, natural, upwards; good photographs have about 3, bad ones above 10. nan of pictures that hold less than
        two blocks of 96 x 96 pixels in which something varies.
    """
    # Blocks in which nothing varies have no features.
    described = [features for _, features in _described(grey_codes(codes)) if np.isfinite(features).all()]
    if len(described) < 2:
        return float("nan")
    distance = np.mean(described, axis=0) - model.mean
    covariance = (model.covariance + np.cov(np.transpose(described))) / 2
    return float(np.sqrt(distance @ np.linalg.pinv(covariance, hermitian=True) @ distance))  # eq. 10


def fit_niqe_model(photographs: Iterable[NDArray[np.floating]]) -> NiqeModel:
    """Fit the model to the sharp blocks of good photographs, each H x W x 3, code values in [0, 1].

    Raises:
        UsageError: There are fewer sharp blocks than features.
    """
    chosen: list[Picture] = []
    for codes in photographs:
        blocks = list(_described(grey_codes(codes)))
        limit = _SHARP * max((sharpness for sharpness, _ in blocks), default=0)
        chosen += [feature for sharpness, feature in blocks if sharpness > limit and np.isfinite(feature).all()]
    if len(chosen) <= _FEATURES:
        raise UsageError(
            f"{len(chosen)} sharp blocks, but the model needs more than {_FEATURES}. Give more photographs."
        )
    return NiqeModel(np.mean(chosen, axis=0), np.cov(np.transpose(chosen)))


def read_niqe_model(path: Path) -> NiqeModel:
    """Read a model.

    Raises:
        WeightsError: It isn't there, or isn't one.
    """
    try:
        mean, covariance = (_array(path, name) for name in ("mu_pris_param", "cov_pris_param"))
        model = NiqeModel(mean.reshape(_FEATURES), covariance.reshape(_FEATURES, _FEATURES))
    except (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise WeightsError(f"{path}: no NIQE model ({error}). Bring basicsr's {MODEL} or fit one.") from error
    return model


def write_niqe_model(model: NiqeModel, path: Path) -> None:
    """Write a model that `read_niqe_model` reads."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, mu_pris_param=model.mean[None], cov_pris_param=model.covariance)


def _array(path: Path, name: str) -> Picture:
    """Read one finite array of a small .npz file."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        if (size := archive.getinfo(f"{name}.npy").file_size) > _LARGEST_BYTES:
            raise ValueError(f"{name} of {size} bytes")
        array: Picture = np.lib.format.read_array(file, allow_pickle=False).astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} isn't finite")
    return array


def _described(grey: Picture) -> Iterator[tuple[float, Picture]]:
    """Yield the sharpness and the 36 features, 18 at full and 18 at half size, of each whole block."""
    height, width = (side // _BLOCK_PX * _BLOCK_PX for side in grey.shape)
    if not height * width:
        return
    grey = grey[:height, :width]
    _, deviation = local_moments(grey, cv2.BORDER_REPLICATE)
    fine, coarse = (contrast_normalised(picture, cv2.BORDER_REPLICATE) for picture in (grey, halve(grey)))
    parts = in_blocks(deviation, _BLOCK_PX), in_blocks(fine, _BLOCK_PX), in_blocks(coarse, _BLOCK_PX // 2)
    for sharpness, *scales in zip(*parts, strict=True):
        yield float(sharpness.mean()), np.concatenate([_features(scale) for scale in scales])


def _features(normalised: Picture) -> Picture:
    """Give the 18 features of a block at one scale: two of its values, four of each kind of product."""
    shape, left, right = _fit(normalised)
    features = [shape, (left + right) / 2]
    for product in neighbour_products(normalised):
        shape, left, right = _fit(product)
        features += [shape, (right - left) * gamma_ratio(2 / shape, 1 / shape), left, right]
    return np.array(features)


def _fit(values: Picture) -> tuple[float, float, float]:
    """Give shape, left and right scale of the asymmetric generalised Gaussian."""
    shape, left, right = fit_asymmetric(values)
    scale = gamma_ratio(1 / shape, 3 / shape) ** 0.5
    return shape, left * scale, right * scale


def _open(models: Path) -> Measure:
    model = read_niqe_model(models / MODEL)
    return lambda pair: niqe(pair.prediction, model)


METRICS = (
    Metric(
        id="niqe",
        name="NIQE",
        direction="lower",
        domain="codes",
        unit="",
        limits=(0, np.inf),
        source="Mittal et al. 2013",
        open=_open,
        compares=False,
        models=(MODEL,),
    ),
)
