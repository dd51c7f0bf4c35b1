"""BRISQUE's regression: a support vector machine in the text files of libsvm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headroom.errors import WeightsError
from headroom.metrics.brisque_features import Picture

_FEATURES = 36
_LARGEST_BYTES = 10_000_000
_KERNEL = {"svm_type": "epsilon_svr", "kernel_type": "rbf"}


@dataclass(frozen=True, slots=True, eq=False)
class BrisqueModel:
    """A regression with Gaussian kernels.

    Attributes:
        vectors: N x 36, of features scaled to [-1, 1].
        coefficients: N.
        gamma: Width of the kernels: exp(-gamma |x - vector|^2).
        rho: What is subtracted from their sum.
        ranges: 36 x 2, the values of each feature that are scaled to -1 and 1.
    """

    vectors: Picture
    coefficients: Picture
    gamma: float
    rho: float
    ranges: Picture

    def predict(self, features: Picture) -> float:
        """Give the score of 36 features."""
        low, high = self.ranges.T
        scaled = 2 * (features - low) / (high - low) - 1
        distance = ((self.vectors - scaled) ** 2).sum(axis=1)
        return float(np.exp(-self.gamma * distance) @ self.coefficients - self.rho)


def read_brisque_model(regression: Path, ranges: Path) -> BrisqueModel:
    """Read a model of `svm-train` and the ranges of `svm-scale`.

    Raises:
        WeightsError: One of them isn't there, or is something else.
    """
    head, _, body = _text(regression).partition("SV\n")
    try:
        facts = dict(line.split(maxsplit=1) for line in head.splitlines())
        if any(facts[name] != value for name, value in _KERNEL.items()):
            raise ValueError(f"its type isn't {' of '.join(_KERNEL.values())}")
        rows = np.array([_numbers(line) for line in body.splitlines()])
        gamma, rho = float(facts["gamma"]), float(facts["rho"])
        if not (rows.size and np.isfinite([gamma, rho, *rows.ravel()]).all()):
            raise ValueError("it holds no numbers, or some that aren't finite")
    except (ValueError, KeyError) as error:
        raise WeightsError(
            f"{regression}: no regression of BRISQUE ({error}). Bring that of the LIVE release."
        ) from error
    return BrisqueModel(rows[:, 1:], rows[:, 0], gamma, rho, _ranges(ranges))


def _ranges(path: Path) -> Picture:
    try:
        _, limits, *lines = _text(path).splitlines()
        if limits.split() != ["-1", "1"]:
            raise ValueError("it doesn't scale to -1 and 1")
        rows = np.array([[float(word) for word in line.split()] for line in lines])
        if rows.shape != (_FEATURES, 3) or not (rows[:, 1] < rows[:, 2]).all():
            raise ValueError(f"it doesn't hold {_FEATURES} ranges")
    except ValueError as error:
        raise WeightsError(f"{path}: no ranges of BRISQUE ({error}). Bring those of the LIVE release.") from error
    return rows[:, 1:]


def _numbers(line: str) -> Picture:
    """Give the coefficient and the features of a line like `-1024 1:-0.5 3:0.25`; those left out are 0."""
    coefficient, *pairs = line.split()
    numbers = np.zeros(1 + _FEATURES)
    numbers[0] = float(coefficient)
    for pair in pairs:
        index, value = pair.split(":")
        if not 1 <= int(index) <= _FEATURES:
            raise ValueError(f"feature {int(index)} of {_FEATURES}")
        numbers[int(index)] = float(value)
    return numbers


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise WeightsError(f"{path}: larger than {_LARGEST_BYTES} bytes. Bring the file of the LIVE release.")
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path}: cannot be read ({error}). Bring the file of the LIVE release.") from error
